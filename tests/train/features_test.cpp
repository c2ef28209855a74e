// SPDX-License-Identifier: Apache-2.0
#include "train/detail/features.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "runtime/oracle.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {
namespace {

using testing::HasSubstr;

std::vector<at::Tensor> maps(std::uint32_t seed) {
  std::vector<at::Tensor> result;
  for (const std::int64_t side : {4, 2}) {
    result.push_back(runtime::torch::to_torch(test::random_tensor({2, 3, side, side}, seed++)));
  }
  return result;
}

TEST(FeatureDistance, IsZeroOfTheSameMaps) {
  EXPECT_EQ(feature_distance(maps(1), maps(1)).item<double>(), 0);
}

TEST(FeatureDistance, IsOneOfAStudentThatFindsNothing) {
  const auto teacher = maps(1);
  const std::vector<at::Tensor> student{at::zeros_like(teacher[0]), at::zeros_like(teacher[1])};

  EXPECT_NEAR(feature_distance(student, teacher).item<double>(), 1, 1e-6);
}

TEST(FeatureDistance, CountsLevelsAlikeHoweverManyNumbersTheyHave) {
  const auto teacher = maps(1);
  const std::vector<at::Tensor> student{teacher[0] * 1.5, teacher[1] * 0.9};

  EXPECT_NEAR(feature_distance(student, teacher).item<double>(), (0.25 + 0.01) / 2, 1e-6);
}

TEST(FeatureDistance, PullsTheStudentAndNotTheTeacher) {
  auto student = maps(5);
  auto teacher = maps(1);
  for (auto* side : {&student, &teacher}) {
    for (at::Tensor& map : *side) map = map.detach().requires_grad_(true);
  }

  feature_distance(student, teacher).backward();

  for (std::size_t i = 0; i < student.size(); ++i) {
    const at::Tensor s = student[i].detach();
    const at::Tensor t = teacher[i].detach();
    EXPECT_TRUE(at::allclose(student[i].grad(), (s - t) / t.square().sum(), 1e-5, 1e-8));
    EXPECT_FALSE(teacher[i].grad().defined());
  }
}

TEST(FeatureDistance, OfRanksAddsUpToThatOfOne) {
  const auto student = maps(5);
  const auto teacher = maps(1);
  const auto part = [](const std::vector<at::Tensor>& of, std::int64_t image) {
    return std::vector<at::Tensor>{of[0].narrow(0, image, 1), of[1].narrow(0, image, 1)};
  };
  const auto total = [&](const std::vector<double>&) {
    return std::vector<double>{teacher[0].square().sum().item<double>(),
                               teacher[1].square().sum().item<double>()};
  };

  double both = 0;
  for (const std::int64_t image : {0, 1}) {
    both += feature_distance(part(student, image), part(teacher, image), total).item<double>();
  }

  EXPECT_NEAR(both, feature_distance(student, teacher).item<double>(), 1e-6);
}

TEST(FeatureDistance, RefusesMapsOfOtherShapes) {
  EXPECT_THROW(feature_distance(maps(1), std::vector<at::Tensor>{}), Error);
  const std::vector<at::Tensor> swapped{maps(1)[1], maps(1)[0]};
  EXPECT_THROW(feature_distance(maps(1), swapped), Error);
}

TEST(WithFeatures, AddsWhatTheHeadReadsBehindTheOutputs) {
  const graph::Graph model = graph::parse(R"(
    input x float32[1,3,8,8]
    a = Conv(x, w) @body
    b = Relu(a) @relu
    y = Conv(b, h) @head
    return y)");
  detect::Head head{.outputs = {"y"}, .indices = {0}};

  const graph::Graph more = with_features(model, head);

  ASSERT_EQ(more.outputs.size(), 2u);
  EXPECT_EQ(more.outputs[0].name, "y");
  EXPECT_EQ(more.outputs[1].name, "b");
  head.outputs = {"b"};
  try {
    with_features(model, head);
    FAIL() << "an output of a Relu was taken for a head";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'b' is not what a convolution computes"));
  }
}

}  // namespace
}  // namespace yoloq::train::detail
