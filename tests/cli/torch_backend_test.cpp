// SPDX-License-Identifier: Apache-2.0
// Calibration and sensitivity computed by LibTorch, for machines whose GPU it has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "pipeline/plan_file.h"

namespace yoloq {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using Words = std::vector<std::string>;

class TorchBackend : public testing::Test {
 protected:
  void must(Words words, const std::string& backend, const Words& more) const {
    words.insert(words.end(), {"--weights", "tiny.pt", "--data", "data.yaml", "--img", "64",
                               "--cache", "cache", "--backend", backend});
    words.insert(words.end(), more.begin(), more.end());
    const auto finished = project_.run(words);
    EXPECT_EQ(finished.status, 0) << finished.errors;
  }

  test::TinyProject project_;
};

TEST_F(TorchBackend, CalibratesAsTheDefaultDoes) {
  const auto plan_of = [&](const std::string& backend) {
    must({"quantize"}, backend,
         {"--no-tuning", "--no-bias-correction", "--out", backend + ".onnx"});
    return pipeline::read_plan(project_ / (backend + ".plan.yaml"));
  };
  const quantize::Plan expected = plan_of("openvino");
  const quantize::Plan plan = plan_of("torch");

  ASSERT_EQ(plan.activations.size(), expected.activations.size());
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    EXPECT_EQ(plan.activations[i].tensor, expected.activations[i].tensor);
    const double scale = expected.activations[i].quantizer.scale;
    EXPECT_NEAR(plan.activations[i].quantizer.scale, scale, 1e-3 * scale);
  }
  EXPECT_NE(plan.provenance.at("calibration_key"), expected.provenance.at("calibration_key"))
      << "Statistics of one runtime are not taken for another's.";
}

TEST_F(TorchBackend, ProfilesAsTheDefaultDoes) {
  const auto costs_of = [&](const std::string& backend) {
    must({"sensitivity"}, backend, {"--method", "sqnr", "--out", backend + ".json"});
    const auto json = test::read_json(project_ / (backend + ".json"));
    EXPECT_EQ(json.at("backend"), backend);
    std::map<std::string, double> costs;
    for (const auto& layer : json.at("layers")) costs[layer.at("name")] = layer.at("cost");
    return costs;
  };
  const auto expected = costs_of("openvino");
  const auto costs = costs_of("torch");

  ASSERT_EQ(costs.size(), expected.size());
  for (const auto& [layer, cost] : costs) EXPECT_NEAR(cost, expected.at(layer), 0.5) << layer;
}

TEST_F(TorchBackend, SaysWhereThereIsNoGpu) {
  const auto finished = project_.run({"quantize", "--weights", "tiny.pt", "--data", "data.yaml",
                                      "--backend", "torch-cuda", "--cache", "", "--out", "q.onnx"});

  if (finished.status == 0) GTEST_SKIP() << "there is one";
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, AnyOf(HasSubstr("LibTorch's CUDA half cannot be opened"),
                                     HasSubstr("the device 'cuda:0' cannot be used")));
}

}  // namespace
}  // namespace yoloq
