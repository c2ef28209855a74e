// SPDX-License-Identifier: Apache-2.0
#include "train/detail/moving_ranges.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "runtime/oracle.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {
namespace {

using runtime::torch::Network;
using testing::HasSubstr;

/// x -> SiLU -> conv, and x itself -> conv.
graph::Graph two_convolutions() {
  graph::Graph graph = graph::parse(R"(
      input x float32[2,4,8,8]
      s = Sigmoid(x)
      a = Mul(x, s) @silu
      y = Conv(a, w) @first
      z = Conv(x, w) @second
      return y, z)");
  graph.constants["w"] = yoloq::test::random_tensor({4, 4, 1, 1}, 1);
  std::erase_if(graph.inputs, [](const graph::Port& port) { return port.name != "x"; });
  return graph;
}

quantize::Plan plan_with(DType dtype, int zero_point) {
  quantize::Plan plan{.target = "tensorrt"};
  for (const auto& [tensor, reader] : {std::pair("a", "first:0"), std::pair("x", "second:0")}) {
    plan.activations.push_back(
        {.tensor = tensor, .quantizer = {dtype, 0.125f, zero_point}, .readers = {reader}});
  }
  return plan;
}

Network& quantized(Network& network, const quantize::Plan& plan) {
  network.quantize(plan);
  return network;
}

/// Both convolutions quantized, with ranges that move.
struct Quantized {
  quantize::Plan plan;
  Network network{two_convolutions()};
  MovingRanges ranges;

  explicit Quantized(double momentum, DType dtype = DType::i8, int zero_point = 0,
                     const std::vector<std::vector<std::string>>& joint = {})
      : plan(plan_with(dtype, zero_point)),
        ranges(quantized(network, plan), plan, joint, momentum) {}

  runtime::torch::FakeQuantizer& quantizer(const std::string& name) {
    return network.quantizers().at(name);
  }
  float scale(const std::string& name) { return quantizer(name).scale.item<float>(); }
};

at::Tensor number(float value) { return at::full({}, value); }

TEST(MovingRanges, BeginAtTheCalibratedOnes) {
  for (const auto& [dtype, zero_point] : {std::pair(DType::i8, 0), std::pair(DType::u8, 20)}) {
    const Quantized model(0.1, dtype, zero_point);
    quantize::Plan now = model.plan;

    model.ranges.set(now);

    EXPECT_EQ(now, model.plan);
  }
}

TEST(MovingRanges, GoASmallStepTowardsTheBatch) {
  Quantized model(0.1);

  model.ranges.observe(model.quantizer("a"), number(-1), number(100));

  const float high = 127 * 0.125f;
  EXPECT_NEAR(model.scale("a"), (high + 0.1f * (100 - high)) / 127, 1e-6);
  EXPECT_EQ(model.scale("x"), 0.125f) << "another tensor's";
}

TEST(MovingRanges, MoveTheZeroPointOfUnsignedCodes) {
  Quantized model(1, DType::u8);
  auto& quantizer = model.quantizer("a");

  model.ranges.observe(quantizer, number(-1), number(4));

  EXPECT_NEAR(model.scale("a"), 5.0f / 255, 1e-4);
  EXPECT_EQ(quantizer.codes.zero_point, 51);
  model.ranges.observe(quantizer, number(2), number(4));
  EXPECT_EQ(quantizer.codes.zero_point, 0) << "0 always has a code";
}

TEST(MovingRanges, AreOneOfQuantizersThatShareAScale) {
  Quantized model(1, DType::i8, 0, {{"a", "x"}});

  model.ranges.observe(model.quantizer("a"), number(0), number(50));
  model.ranges.observe(model.quantizer("x"), number(-60), number(10));

  for (const char* name : {"a", "x"}) EXPECT_NEAR(model.scale(name), 60.0f / 127, 1e-6) << name;
}

TEST(MovingRanges, GoOnFromTheirState) {
  Quantized model(0.3);
  model.ranges.observe(model.quantizer("a"), number(-3), number(40));
  Quantized other(0.3);

  other.ranges.restore(model.ranges.state());

  EXPECT_EQ(other.ranges.state(), model.ranges.state());
  EXPECT_TRUE(at::equal(other.quantizer("a").scale, model.quantizer("a").scale));
  auto state = model.ranges.state();
  state.erase("moving_range/x");
  try {
    other.ranges.restore(state);
    FAIL() << "a range was missing";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'moving_range/x'"));
  }
}

/// The SiLU is computed together with its quantizer; what is shown of it is its own range.
TEST(MovingRanges, OfANetworkAreThoseOfWhatItQuantizes) {
  const at::Tensor wide = runtime::torch::to_torch(yoloq::test::random_tensor({2, 4, 8, 8}, 9)) * 4;
  for (const at::Tensor& image : {wide, wide.abs(), -wide.abs() - 2, wide.abs() * 0.1 - 1}) {
    Quantized model(1, DType::u8);
    const at::Tensor input = image;

    model.network.run({&input, 1},
                      {.observe = [&](auto& quantizer, const auto& low, const auto& high) {
                        model.ranges.observe(quantizer, low, high);
                      }});

    const auto found = model.ranges.state();
    for (const auto& [name, values] : {std::pair("a", at::silu(image)), std::pair("x", image)}) {
      const auto ends = found.at(std::string("moving_range/") + name).to_floats();
      EXPECT_NEAR(ends[0], std::min(values.min().item<float>(), 0.0f), 2e-3) << name;
      EXPECT_NEAR(ends[1], std::max(values.max().item<float>(), 0.0f), 1e-5) << name;
    }
  }
}

}  // namespace
}  // namespace yoloq::train::detail
