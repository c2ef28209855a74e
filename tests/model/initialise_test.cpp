// SPDX-License-Identifier: Apache-2.0
#include "model/initialise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "model/emit.h"
#include "model/read_yaml.h"
#include "model/visit.h"
#include "support/message.h"

namespace yoloq::model {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Description pico(std::uint64_t seed, int class_count = 4) {
  return read_model_yaml("yolov5p.yaml", {.class_count = class_count, .seed = seed});
}

std::map<std::string, Conv2d> convolutions_of(const Description& description) {
  struct Collect {
    std::map<std::string, Conv2d>* all;
    void operator()(const std::string& path, const Conv2d& conv) const { (*all)[path] = conv; }
    void operator()(const std::string&, const BatchNorm2d&) const {}
  };
  std::map<std::string, Conv2d> all;
  visit_weights(description, Collect{&all});
  return all;
}

TEST(Initialise, ConvolutionsAreUniformWithinOneOverTheRootOfWhatTheyRead) {
  for (const auto& [path, conv] : convolutions_of(pico(1))) {
    const Shape& shape = conv.weight.shape();
    const double bound = 1 / std::sqrt(static_cast<double>(shape[1] * shape[2] * shape[3]));
    const auto values = conv.weight.to_floats();
    double sum = 0;
    double squares = 0;
    for (const double value : values) {
      ASSERT_LE(std::abs(value), bound * (1 + 1e-6)) << path;
      sum += value / bound;
      squares += (value / bound) * (value / bound);
    }
    const auto count = static_cast<double>(values.size());

    // Uniform in +-1: variance 1/3; of its square 4/45. Five sigma; the seed is fixed.
    EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(1 / 3.0 / count)) << path;
    EXPECT_NEAR(squares / count, 1 / 3.0, 5 * std::sqrt(4 / 45.0 / count)) << path;
  }
}

TEST(Initialise, NormalisationsStartAsTheIdentityWithUltralyticsEpsilon) {
  struct Check {
    void operator()(const std::string&, const Conv2d&) const {}
    void operator()(const std::string& path, const BatchNorm2d& norm) const {
      EXPECT_THAT(norm.weight.to_floats(), Each(1.0f)) << path;
      EXPECT_THAT(norm.bias.to_floats(), Each(0.0f)) << path;
      EXPECT_THAT(norm.running_mean.to_floats(), Each(0.0f)) << path;
      EXPECT_THAT(norm.running_var.to_floats(), Each(1.0f)) << path;
      EXPECT_EQ(norm.eps, 1e-3f) << path;
    }
  };

  const Description description = pico(1);
  visit_weights(description, Check{});
}

/// By hand for stride 8: 640 / 8 = 80 cells a side, log(8 / 6400) = -6.6846; for 4 classes
/// log(0.6 / 3.00001) = -1.6094.
TEST(Initialise, TheHeadExpectsFewObjectsAndAllClassesAlike) {
  const Description description = pico(1);
  const auto& heads = std::get<Detect>(description.layers.back().module.kind).m;
  const std::vector<double> objectness{-6.684612, -5.298317, -3.912023};

  ASSERT_EQ(heads.size(), 3u);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto bias = heads[i].bias->to_floats();
    const double bound = 1 / std::sqrt(static_cast<double>(heads[i].weight.shape()[1]));
    ASSERT_EQ(bias.size(), 27u);
    for (std::size_t c = 0; c < bias.size(); ++c) {
      const double prior = c % 9 < 4 ? 0 : c % 9 == 4 ? objectness[i] : -1.609441;
      EXPECT_NEAR(bias[c], prior, bound + 1e-5) << i << " " << c;
    }
  }
}

TEST(Initialise, OneClassHasAPriorFarAboveZero) {
  const Description description = pico(1, 1);
  const auto& head = std::get<Detect>(description.layers.back().module.kind).m[0];

  // log(0.6 / 0.00001) = 11.0021, as Ultralytics has it.
  EXPECT_NEAR(head.bias->to_floats()[5], 11.0021, 1 / std::sqrt(32.0) + 1e-3);
}

TEST(Initialise, IsTheSameForTheSameSeedAndOnEveryPlatform) {
  const Description description = pico(5);

  EXPECT_EQ(description, pico(5));
  EXPECT_NE(description, pico(6));
  Hasher hasher;
  for (const auto& [path, conv] : convolutions_of(description)) hasher.add(conv.weight.bytes());
  EXPECT_EQ(hasher.hex(), "d563e47ef878b74da96fb119d46f81c4");
}

TEST(Initialise, ATensorsValuesDoNotDependOnTheOthers) {
  const auto four = convolutions_of(pico(5, 4));
  const auto eighty = convolutions_of(pico(5, 80));

  EXPECT_EQ(four.at("model.2.cv1.conv"), eighty.at("model.2.cv1.conv"));
  EXPECT_EQ(four.at("model.23.m.0.cv2.conv"), eighty.at("model.23.m.0.cv2.conv"));
}

TEST(ResetHead, GivesNewClassesAndKeepsAllOtherWeights) {
  Description description = pico(5, 80);
  const auto before = convolutions_of(description);

  reset_head(description, {.class_count = 2, .names = {"cat", "dog"}, .seed = 9});

  EXPECT_THAT(description.info.names, ElementsAre("cat", "dog"));
  EXPECT_EQ(description.info.class_count, 2);
  auto after = convolutions_of(description);
  EXPECT_EQ(after.at("model.24.m.0").weight.shape(), (Shape{3 * (5 + 2), 32, 1, 1}));
  EXPECT_EQ(after, convolutions_of([&] {
              Description same = description;
              std::get<Detect>(same.layers.back().module.kind) =
                  std::get<Detect>(pico(9, 2).layers.back().module.kind);
              return same;
            }()));  // The head is the one that seed 9 gives a new model.
  for (const auto& [path, conv] : before) {
    if (path.starts_with("model.24.")) continue;
    EXPECT_EQ(after.at(path), conv) << path;
  }
  EXPECT_NO_THROW(emit(description, {.height = 64, .width = 64}));
}

TEST(ResetHead, OfAGraphIsThatOfItsDescription) {
  Description description = pico(5, 80);
  const EmitOptions open{.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt};
  graph::Graph graph = emit(description, open);
  const NewHead head{.class_count = 2, .names = {"cat", "dog"}, .seed = 9};

  reset_head(graph, head);
  reset_head(description, head);

  EXPECT_EQ(graph, emit(description, open));
}

TEST(ResetHead, RefusesAGraphWhoseOutputsAreNoConvolutions) {
  graph::Graph graph = emit(pico(5, 80), {.height = 64, .width = 64, .head = Head::decoded});

  EXPECT_THAT(test::message_when([&] { reset_head(graph, {.class_count = 2}); }),
              HasSubstr("does not come from a convolution with a bias"));
}

TEST(ResetHead, NumbersTheClassesWithoutNames) {
  Description description = pico(5, 80);

  reset_head(description, {.class_count = 3});

  EXPECT_THAT(description.info.names, ElementsAre("0", "1", "2"));
}

TEST(ResetHead, RefusesCountsThatDoNotFitAndLeavesTheModelAlone) {
  Description description = pico(5, 80);
  const Description before = description;
  const auto message = [&](const NewHead& head) -> std::string {
    try {
      reset_head(description, head);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_argument);
      return error.what();
    }
    return "no error";
  };

  EXPECT_THAT(message({.class_count = 0}), HasSubstr("0 classes; expected 1 to 65536"));
  EXPECT_THAT(message({.class_count = 2, .names = {"cat"}}), HasSubstr("1 names for 2 classes"));
  EXPECT_EQ(description, before);
}

TEST(ResetHead, RefusesAModelWithoutDetect) {
  Description description;

  EXPECT_THROW(reset_head(description, {.class_count = 2}), Error);
  EXPECT_THROW(initialise(description, 0), Error);
}

}  // namespace
}  // namespace yoloq::model
