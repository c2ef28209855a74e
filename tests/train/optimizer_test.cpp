// SPDX-License-Identifier: Apache-2.0
#include "train/detail/optimizer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {
namespace {

using runtime::torch::from_torch;
using runtime::torch::to_torch;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr double kMomentum = 0.9;
constexpr double kDecay = 0.01;

Parameter parameter(const std::string& name, const std::vector<float>& values) {
  Parameter result{name, to_torch(Tensor::list(values))};
  result.tensor.set_requires_grad(true);
  return result;
}

/// One of each kind, on which the gradients of a step can be set.
struct Few {
  Parameters parameters{.weights = {parameter("w", {1, -2, 3})},
                        .norms = {parameter("g", {1, 1})},
                        .biases = {parameter("b", {0.5f, -0.5f})},
                        .scales = {parameter("s", {0.01f, 2})}};

  void set_gradients(float size) {
    const auto set = [&](Parameter& one) {
      std::vector<float> values(static_cast<std::size_t>(one.tensor.numel()));
      std::iota(values.begin(), values.end(), -1.0f);
      for (float& value : values) value *= size;
      one.tensor.mutable_grad() = to_torch(Tensor::list(values));
    };
    for (auto* group :
         {&parameters.weights, &parameters.norms, &parameters.biases, &parameters.scales}) {
      for (Parameter& one : *group) set(one);
    }
  }
};

/// Step by step in double: v = m v + g, p -= rate (g + m v), g with decay; v = g at first.
struct Recomputed {
  std::vector<double> values;
  std::vector<double> velocity = {};

  void step(double size, double rate, double momentum, double decay) {
    const bool first = velocity.empty();
    velocity.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double gradient = size * (static_cast<double>(i) - 1) + decay * values[i];
      velocity[i] = first ? gradient : momentum * velocity[i] + gradient;
      values[i] -= rate * (gradient + momentum * velocity[i]);
    }
  }
  std::vector<float> floats() const { return {values.begin(), values.end()}; }
};

std::vector<float> values_of(const Parameter& parameter) {
  return from_torch(parameter.tensor).to_floats();
}

OptimizerOptions without_clipping() { return {kMomentum, kDecay, 0}; }

TEST(Optimizer, MovesAsNesterovsMomentumDoesAndDecaysWeightsAlone) {
  Few few;
  Optimizer optimizer(few.parameters, without_clipping());
  Recomputed weights{{1, -2, 3}};
  Recomputed norms{{1, 1}};
  Recomputed biases{{0.5, -0.5}};

  for (const double momentum : {0.5, 0.7, 0.9, 0.9}) {
    const double size = 0.3 * momentum;
    few.set_gradients(static_cast<float>(size));
    optimizer.step({.biases = 0.2, .weights = 0.1, .momentum = momentum}, 0);
    weights.step(size, 0.1, momentum, kDecay);
    norms.step(size, 0.1, momentum, 0);
    biases.step(size, 0.2, momentum, 0);
  }

  EXPECT_THAT(values_of(few.parameters.weights[0]), Pointwise(FloatNear(1e-5f), weights.floats()));
  EXPECT_THAT(values_of(few.parameters.norms[0]), Pointwise(FloatNear(1e-5f), norms.floats()));
  EXPECT_THAT(values_of(few.parameters.biases[0]), Pointwise(FloatNear(1e-5f), biases.floats()));
}

TEST(Optimizer, ForgetsGradientsAfterAStep) {
  Few few;
  Optimizer optimizer(few.parameters, without_clipping());
  few.set_gradients(1);

  optimizer.step({.biases = 0.1, .weights = 0.1, .momentum = kMomentum}, 0.1);

  for (const auto* group : {&few.parameters.weights, &few.parameters.scales}) {
    const at::Tensor& gradient = group->front().tensor.grad();
    EXPECT_TRUE(!gradient.defined() || gradient.abs().sum().item<float>() == 0);
  }
}

TEST(Optimizer, ClipsTheNormOfAllGradientsButThoseOfScales) {
  Few few;
  Optimizer optimizer(few.parameters, {kMomentum, 0, 1});
  few.set_gradients(100);  // Norm: 100 sqrt(2 + 1 + 1) = 200.

  optimizer.step({.biases = 1, .weights = 1, .momentum = kMomentum}, 0);

  // (-100, 0, 100) / 200, times 1 + 0.9.
  EXPECT_THAT(values_of(few.parameters.weights[0]),
              Pointwise(FloatNear(1e-4f), std::vector<float>{1.95f, -2, 2.05f}));
}

TEST(Optimizer, MovesAScaleByAPartOfItselfAgainstItsGradient) {
  Few few;
  Optimizer optimizer(few.parameters, without_clipping());
  few.set_gradients(1);  // -1 and 0

  optimizer.step({.biases = 0, .weights = 0, .momentum = kMomentum}, 0.01);

  // Adam's first step is the rate, whatever the gradient's size.
  EXPECT_THAT(values_of(few.parameters.scales[0]),
              Pointwise(FloatNear(1e-6f), std::vector<float>{0.01f * std::exp(0.01f), 2}));
}

TEST(Optimizer, KeepsScalesPositive) {
  Few few;
  Optimizer optimizer(few.parameters, without_clipping());
  for (int i = 0; i < 200; ++i) {
    few.set_gradients(1);
    few.parameters.scales[0].tensor.mutable_grad().fill_(1e6f);
    optimizer.step({.biases = 0, .weights = 0, .momentum = kMomentum}, 0.1);
  }

  const auto scales = values_of(few.parameters.scales[0]);
  EXPECT_GT(scales[0], 0);
  EXPECT_LT(scales[0], 0.005f);
  EXPECT_GT(scales[1], 0);
  EXPECT_LT(scales[1], 1);
}

TEST(Optimizer, GoesOnFromItsStateAsIfNothingHappened) {
  const auto steps = [](Optimizer& optimizer, Few& few, int count) {
    for (int i = 0; i < count; ++i) {
      few.set_gradients(0.1f);
      optimizer.step({.biases = 0.2, .weights = 0.1, .momentum = kMomentum}, 0.02);
    }
  };
  Few whole;
  Optimizer unbroken(whole.parameters, without_clipping());
  steps(unbroken, whole, 5);

  Few first;
  Optimizer before(first.parameters, without_clipping());
  steps(before, first, 2);
  Few second;
  second.parameters.weights[0].tensor.data().copy_(first.parameters.weights[0].tensor);
  second.parameters.norms[0].tensor.data().copy_(first.parameters.norms[0].tensor);
  second.parameters.biases[0].tensor.data().copy_(first.parameters.biases[0].tensor);
  second.parameters.scales[0].tensor.data().copy_(first.parameters.scales[0].tensor);
  Optimizer after(second.parameters, without_clipping());
  after.restore(before.state());
  steps(after, second, 3);

  EXPECT_EQ(values_of(second.parameters.weights[0]), values_of(whole.parameters.weights[0]));
  EXPECT_EQ(values_of(second.parameters.norms[0]), values_of(whole.parameters.norms[0]));
  EXPECT_EQ(values_of(second.parameters.biases[0]), values_of(whole.parameters.biases[0]));
  EXPECT_EQ(values_of(second.parameters.scales[0]), values_of(whole.parameters.scales[0]));
}

TEST(Optimizer, HasAStateWithoutMomentum) {
  Few few;
  Optimizer optimizer(few.parameters, {0, 0, 0});
  few.set_gradients(1);
  optimizer.step({.biases = 0.1, .weights = 0.1, .momentum = 0}, 0);

  const auto state = optimizer.state();

  EXPECT_FALSE(state.contains("momentum/w"));
  EXPECT_NO_THROW(optimizer.restore(state));
}

TEST(Optimizer, RefusesAStateThatLacksAScaleOrHasAnotherShape) {
  Few few;
  Optimizer optimizer(few.parameters, without_clipping());
  few.set_gradients(1);
  optimizer.step({.biases = 0.1, .weights = 0.1, .momentum = kMomentum}, 0);
  const auto refusal = [&](std::map<std::string, Tensor> state) -> std::string {
    try {
      optimizer.restore(state);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
      return error.what();
    }
    return "none";
  };

  auto lacking = optimizer.state();
  lacking.erase("first/s");
  auto larger = optimizer.state();
  larger["momentum/w"] = Tensor::list<float>({1, 2, 3, 4});
  auto stepless = optimizer.state();
  stepless.erase("scale_steps");

  EXPECT_THAT(refusal(lacking), HasSubstr("'first/s'"));
  EXPECT_THAT(refusal(larger), HasSubstr("'momentum/w'"));
  EXPECT_THAT(refusal(stepless), HasSubstr("'scale_steps'"));
}

TEST(Optimizer, RefusesGradientsThatAreNoNumbersAndMovesNothing) {
  Few few;
  Optimizer optimizer(few.parameters, {kMomentum, kDecay, 10});
  few.set_gradients(1);
  few.parameters.biases[0].tensor.mutable_grad().fill_(std::nanf(""));

  EXPECT_THROW(optimizer.step({.biases = 0.1, .weights = 0.1, .momentum = kMomentum}, 0.1), Error);

  EXPECT_EQ(values_of(few.parameters.weights[0]), (std::vector<float>{1, -2, 3}));
  EXPECT_EQ(values_of(few.parameters.scales[0]), (std::vector<float>{0.01f, 2}));
}

}  // namespace
}  // namespace yoloq::train::detail
