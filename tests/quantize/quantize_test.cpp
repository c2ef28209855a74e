// SPDX-License-Identifier: Apache-2.0
#include "quantize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "calibrate/collector.h"
#include "core/error.h"
#include "graph/text.h"
#include "quantize/half_scales.h"
#include "support/message.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

graph::Graph two_layers() {
  return graph::parse(R"(
      w = float32[1,1,1,1] {2.0}
      v = float32[1,1,1,1] {1.0}
      y = Conv(x, w) @first
      g = Sigmoid(y) @sigmoid
      s = Mul(y, g) @silu
      h = Conv(s, v) @second
      return h)");
}

calibrate::Ranges seen(const std::vector<std::string>& tensors) {
  calibrate::Collector collector(tensors);
  const std::vector<float> values{-0.25f, 0.0f, 1.27f};
  for (std::size_t i = 0; i < tensors.size(); ++i) collector.observe(i, values, 1, "image");
  return std::move(collector).finish();
}

TEST(Quantize, ObservesWhatItQuantizes) {
  EXPECT_THAT(observed_tensors(settle(two_layers(), {})), ElementsAre("x", "s"));
}

TEST(Quantize, RefusesParametersThatAreNotFinite) {
  for (const float odd :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    auto model = two_layers();
    model.constants["v"] = Tensor::of<float>({1, 1, 1, 1}, {odd});
    EXPECT_THAT(test::message_when([&] { settle(model, {}); }),
                HasSubstr("the weight of layer 'second' holds"));
  }
  auto model = two_layers();
  model.constants["b"] = Tensor::list<float>({std::numeric_limits<float>::infinity()});
  model[*model.producer("y")].inputs.emplace_back("b");
  EXPECT_THAT(test::message_when([&] { settle(model, {}); }),
              HasSubstr("the bias of layer 'first' holds inf"));
}

TEST(Quantize, SaysThatAFileIsFloat16) {
  auto model = two_layers();
  for (const char* weight : {"w", "v"}) model.constants[weight] = to_half(model.constants[weight]);

  EXPECT_THAT(test::message_when([&] { settle(model, {}); }), HasSubstr("without --half"));
}

TEST(Quantize, TheDefaultTargetIsSymmetricWithZeroPointZero) {
  const Options options{.calibrator = "min-max"};
  const auto model = two_layers();
  const auto settings = settle(model, options);

  const Plan plan = make_plan(model, settings, options, seen(observed_tensors(settings)));

  ASSERT_EQ(plan.activations.size(), 2u);
  EXPECT_THAT(plan.activations[0].quantizer.scale, FloatEq(0.01f));
  EXPECT_EQ(plan.activations[0].quantizer.zero_point, 0);
  EXPECT_EQ(plan.activations[1].quantizer.dtype, DType::i8);
  EXPECT_THAT(plan.activations[1].readers, ElementsAre("second:0"));
  EXPECT_THAT(plan.weights[0].scales, ElementsAre(FloatEq(2.0f / 127)));
}

TEST(Quantize, AReducedRangeReducesEveryWeightAndNoActivation) {
  const Options whole{.calibrator = "min-max"};
  Options reduced = whole;
  reduced.reduce_range = true;
  const auto model = two_layers();
  const auto settings = settle(model, whole);
  const auto ranges = seen(observed_tensors(settings));

  const Plan plan = make_plan(model, settings, reduced, ranges);

  EXPECT_EQ(plan.activations, make_plan(model, settings, whole, ranges).activations);
  ASSERT_EQ(plan.weights.size(), 2u);
  for (const WeightPlan& weight : plan.weights) EXPECT_EQ(weight.top_code, 64);
  EXPECT_THAT(plan.weights[0].scales, ElementsAre(FloatEq(2.0f / 64)));
}

TEST(Quantize, AnAsymmetricTensorBehindSiluStartsAtItsMinimum) {
  const Options options{.target = "openvino", .calibrator = "min-max"};
  const auto model = two_layers();
  const auto settings = settle(model, options);

  const Plan plan = make_plan(model, settings, options, seen(observed_tensors(settings)));

  EXPECT_THAT(plan.activations[0].quantizer.scale, FloatEq((1.27f + 0.25f) / 255));
  EXPECT_THAT(plan.activations[1].quantizer.scale, FloatEq((1.27f + 0.27846455f) / 255));
}

/// Two Concats that share a feature map, and a residual block.
graph::Graph neck() {
  return graph::parse(R"(
      w = float32[1,1,1,1] {1.0}
      a = Conv(x, w) @c0
      b = Conv(a, w) @c1
      sum = Add(a, b) @add
      cat = Concat(sum, x) axis=1 @cat
      h = Conv(cat, w) @head
      return h)");
}

std::map<std::string, float> scales_for(const Options& options) {
  const auto model = neck();
  const auto settings = settle(model, options);
  calibrate::Collector collector(observed_tensors(settings));
  for (std::size_t i = 0; i < observed_tensors(settings).size(); ++i) {
    const std::vector<float> values{0.0f, static_cast<float>(i + 1)};
    collector.observe(i, values, 1, "image");
  }
  const Plan plan = make_plan(model, settings, options, std::move(collector).finish());
  std::map<std::string, float> scales;
  for (const auto& row : plan.activations) scales[row.tensor] = row.quantizer.scale;
  return scales;
}

TEST(Quantize, ForOpenvinoBothInputsOfAnAddAreQuantizedAndWhatMeetsHasOneScale) {
  const auto scales = scales_for({.target = "openvino", .calibrator = "min-max"});

  ASSERT_EQ(scales.size(), 4u);
  EXPECT_TRUE(scales.contains("b"));
  EXPECT_EQ(scales.at("x"), scales.at("cat"));
  EXPECT_NE(scales.at("a"), scales.at("cat"));
}

TEST(Quantize, TheResidualModeOfTheUserGoesBeforeTheTargets) {
  EXPECT_EQ(residual_of({}), Residual::one);
  EXPECT_EQ(residual_of({.target = "openvino"}), Residual::both);
  EXPECT_EQ(residual_of({.target = "openvino", .residual = Residual::one}), Residual::one);
  EXPECT_FALSE(
      scales_for({.target = "openvino", .residual = Residual::one, .calibrator = "min-max"})
          .contains("b"));
}

TEST(Quantize, LaterRulesWinAndFloatLayersHaveNoWeights) {
  const Options options{.rules = {{"*", Precision::fp32, "--skip-layers *"},
                                  {"second", Precision::int8, "--layer-precision"},
                                  {"0", Precision::fp16, "--layer-precision"}}};
  const auto model = two_layers();
  const auto settings = settle(model, options);

  const Plan plan = make_plan(model, settings, options, seen(observed_tensors(settings)));

  EXPECT_EQ(plan.layers[0].precision, Precision::fp16);
  EXPECT_EQ(plan.layers[1].precision, Precision::int8);
  EXPECT_EQ(plan.int8_layers(), 1);
  ASSERT_EQ(plan.weights.size(), 1u);
  EXPECT_EQ(plan.weights[0].layer, "second");
  EXPECT_THAT(observed_tensors(settings), ElementsAre("s"));
}

TEST(Quantize, PerTensorWeightsHaveOneScale) {
  const Options options{.per_tensor_weights = true};
  const auto model = two_layers();
  const auto settings = settle(model, options);

  const Plan plan = make_plan(model, settings, options, seen(observed_tensors(settings)));

  EXPECT_EQ(plan.weights[0].axis, -1);
  EXPECT_EQ(plan.weights[0].scales.size(), 1u);
}

TEST(Quantize, WrongWishesAndMissingStatisticsAreErrors) {
  const auto model = two_layers();

  EXPECT_THROW(settle(model, {.target = "tpu"}), Error);
  EXPECT_THROW(settle(model, {.rules = {{"third", Precision::fp32, ""}}}), Error);
  EXPECT_THROW(settle(graph::parse("y = Relu(x)\nreturn y"), {}), Error);
  EXPECT_THROW(make_plan(model, settle(model, {}), {}, seen({"x"})), Error);
  EXPECT_THROW(make_plan(model, settle(model, {}), {.calibrator = "kl"}, seen({"x", "s"})), Error);
}

}  // namespace
}  // namespace yoloq::quantize
