// SPDX-License-Identifier: Apache-2.0
#include "train/detail/average.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {
namespace {

using runtime::torch::from_torch;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

Parameter filled_parameter(const std::string& name, float value) {
  return {name, at::full({2}, value)};
}

Parameters one_of_each() {
  return {.weights = {filled_parameter("w", 1)},
          .norms = {filled_parameter("g", 2)},
          .biases = {filled_parameter("b", 3)},
          .scales = {filled_parameter("s", 4)},
          .statistics = {filled_parameter("m", 5)}};
}

TEST(Average, FollowsItsFormula) {
  const Parameters parameters = one_of_each();
  Average average(parameters, 0.9, 10);
  double expected = 1;
  for (int update = 1; update <= 20; ++update) {
    const double value = 1 + 0.5 * update;
    parameters.weights[0].tensor.fill_(value);
    average.update();
    const double d = 0.9 * (1 - std::exp(-update / 10.0));
    expected = d * expected + (1 - d) * value;
  }

  EXPECT_NEAR(average.tensors().at("w")[0].item<double>(), expected, 1e-5);
}

TEST(Average, CoversParametersStatisticsAndScales) {
  const Parameters parameters = one_of_each();
  Average average(parameters, 0.9, 1e-9);  // d = 0.9 from the first update on.
  for (const auto* group : {&parameters.weights, &parameters.norms, &parameters.biases,
                            &parameters.statistics, &parameters.scales}) {
    group->front().tensor.fill_(0);
  }

  average.update();

  for (const auto& [name, before] : {std::pair{"w", 1}, {"g", 2}, {"b", 3}, {"m", 5}}) {
    EXPECT_NEAR(average.tensors().at(name)[1].item<double>(), 0.9 * before, 1e-5) << name;
  }
  EXPECT_NEAR(average.scales().at("s")[1].item<double>(), 3.6, 1e-5);
  EXPECT_EQ(average.tensors().size(), 4U);
}

TEST(Average, HasTensorsOfItsOwnAndKeepsThem) {
  const Parameters parameters = one_of_each();
  Average average(parameters, 0.9, 2000);
  const at::Tensor shared = average.tensors().at("w");

  parameters.weights[0].tensor.fill_(7);
  EXPECT_EQ(shared[0].item<float>(), 1);
  average.update();

  EXPECT_NEAR(shared[0].item<float>(), 7, 0.01);  // Who reads it sees the update.
}

TEST(Average, GoesOnFromItsState) {
  const Parameters parameters = one_of_each();
  Average whole(parameters, 0.9, 3);
  Average before(parameters, 0.9, 3);
  parameters.weights[0].tensor.fill_(2);
  for (int i = 0; i < 2; ++i) before.update();
  Average after(parameters, 0.9, 3);
  after.restore(before.state());
  after.update();
  for (int i = 0; i < 3; ++i) whole.update();

  EXPECT_TRUE(at::equal(after.tensors().at("w"), whole.tensors().at("w")));
  EXPECT_TRUE(at::equal(after.scales().at("s"), whole.scales().at("s")));
}

TEST(Average, RefusesAStateThatLacksSomething) {
  Average average(one_of_each(), 0.9, 3);
  for (const std::string name : {"average/w", "average_scale/s", "average_updates"}) {
    auto state = average.state();
    state.erase(name);
    try {
      average.restore(state);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
      EXPECT_THAT(error.what(), HasSubstr("'" + name + "'"));
    }
  }
}

}  // namespace
}  // namespace yoloq::train::detail
