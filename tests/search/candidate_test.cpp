// SPDX-License-Identifier: Apache-2.0
#include "search/candidate.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace yoloq::search {
namespace {

TEST(Candidate, TheDefaultIsWhatQuantizeDoes) {
  const quantize::Options options;
  const Candidate& candidate = default_candidate();

  EXPECT_EQ(candidate.calibrator.name, options.calibrator);
  EXPECT_EQ(candidate.object_weight, options.object_weight);
  EXPECT_EQ(candidate.residual, options.residual);
  EXPECT_EQ(text_of(candidate), "default");
}

TEST(Candidate, TextSaysWhatDiffers) {
  Candidate candidate;
  candidate.calibrator = {"percentile", 99.999};
  candidate.ridge = 0.3;
  candidate.float_layers = {"a", "b"};

  EXPECT_EQ(text_of(candidate), "calibrator=percentile 99.999 ridge=0.3 float=a,b");
}

TEST(Candidate, EveryOptionChangesTheText) {
  const std::function<void(Candidate&)> changes[] = {
      [](Candidate& c) { c.calibrator.name = "entropy"; },
      [](Candidate& c) { c.by_tensor = true; },
      [](Candidate& c) { c.images = 64; },
      [](Candidate& c) { c.object_weight = 0; },
      [](Candidate& c) { c.residual = quantize::Residual::both; },
      [](Candidate& c) { c.tuning = false; },
      [](Candidate& c) { c.ridge = 3; },
      [](Candidate& c) { c.tuning_images = 64; },
      [](Candidate& c) { c.float_layers = {"a"}; },
  };
  std::set<std::string> texts{text_of(default_candidate())};
  for (const auto& change : changes) {
    Candidate candidate;
    change(candidate);
    EXPECT_TRUE(texts.insert(text_of(candidate)).second) << text_of(candidate);
  }
}

TEST(Candidate, SpeedDependsOnStructureAlone) {
  Candidate other_values;
  other_values.ridge = 3;
  other_values.calibrator.name = "entropy";
  Candidate other_layers;
  other_layers.float_layers = {"a"};

  EXPECT_EQ(structure_of(other_values), structure_of(default_candidate()));
  EXPECT_NE(structure_of(other_layers), structure_of(default_candidate()));
}

}  // namespace
}  // namespace yoloq::search
