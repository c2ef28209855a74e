// SPDX-License-Identifier: Apache-2.0
#include "quantize/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "graph/shapes.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::quantize {
namespace {

using graph::Graph;
using testing::ElementsAre;
using testing::HasSubstr;

Graph small_model() {
  return graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32[2,1,1,1] {1.0,-2.0}
      b = float32[2] {0.5,0.25}
      y = Conv(x, w, b) @conv
      s = Sigmoid(y) @act
      return s)");
}

Plan plan_for_it() {
  return {
      .target = "tensorrt",
      .layers = {{.id = 0, .name = "conv"}},
      .activations = {{.tensor = "x", .quantizer = {DType::i8, 0.5f, 0}, .readers = {"conv:0"}}},
      .weights = {{.tensor = "w",
                   .layer = "conv",
                   .axis = 0,
                   .scales = {0.25f, 0.5f},
                   .bias_shift = {1.0f, -1.0f}}}};
}

TEST(Apply, PutsQuantizersBeforeTheConvAndNoneBehindIt) {
  const Graph quantized = apply(small_model(), plan_for_it());

  graph::verify(quantized);
  EXPECT_EQ(graph::to_text(quantized),
            "input x float32[1,1,2,2]\n"
            "x/quantized = QuantizeLinear(x, x/scale, x/zero_point) @x/QuantizeLinear\n"
            "x/dequantized = DequantizeLinear(x/quantized, x/scale, x/zero_point) "
            "@x/DequantizeLinear\n"
            "w/dequantized = DequantizeLinear(w/quantized, w/scale, w/zero_point) axis=0 "
            "@conv.weight/DequantizeLinear\n"
            "y = Conv(x/dequantized, w/dequantized, conv.bias/corrected) @conv\n"
            "s = Sigmoid(y) @act\n"
            "return s\n");
}

TEST(Apply, StoresCodesAndTheCorrectedBiasAndDropsTheFloats) {
  const Graph quantized = apply(small_model(), plan_for_it());

  EXPECT_THAT(quantized.constant("w/quantized")->values<std::int8_t>(), ElementsAre(4, -4));
  EXPECT_THAT(quantized.constant("w/zero_point")->values<std::int8_t>(), ElementsAre(0, 0));
  EXPECT_THAT(quantized.constant("conv.bias/corrected")->values<float>(),
              ElementsAre(0.5f + 1.0f, 0.25f - 1.0f));
  EXPECT_EQ(quantized.constant("w"), nullptr);
  EXPECT_EQ(quantized.constant("b"), nullptr);
}

TEST(Apply, SwitchedOffRowsChangeNothing) {
  Plan plan = plan_for_it();
  plan.activations[0].on = false;
  plan.weights[0].on = false;

  EXPECT_EQ(apply(small_model(), plan), small_model());
}

TEST(Apply, RaisesTheOpsetToThirteen) {
  Graph model = small_model();
  model.opsets[""] = 11;

  EXPECT_EQ(apply(model, plan_for_it()).opset(), 13);
}

TEST(Apply, AHalfLayerReadsAndWritesThroughCasts) {
  const Plan plan{.layers = {{.id = 0, .name = "conv", .precision = Precision::fp16}}};

  const Graph half = apply(small_model(), plan);

  graph::verify(half);
  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "x/float16 = Cast(x) to=10 @x/Cast\n"
            "y = Conv(x/float16, w/float16, b/float16) @conv\n"
            "y/float32 = Cast(y) to=1 @y/Cast\n"
            "s = Sigmoid(y/float32) @act\n"
            "return s\n");
  EXPECT_THAT(half.constant("w/float16")->to_floats(), ElementsAre(1.0f, -2.0f));
}

TEST(Apply, WithAFloatTypeOfFp16TheWholeFloatPartIsFloat16) {
  Plan plan = plan_for_it();
  plan.float_type = Precision::fp16;

  const Graph half = apply(small_model(), plan);

  graph::verify(half);
  EXPECT_EQ(half.opset(), 19);
  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "x/quantized = QuantizeLinear(x, x/scale, x/zero_point) @x/QuantizeLinear\n"
            "x/dequantized = DequantizeLinear(x/quantized, x/scale/float16, x/zero_point) "
            "@x/DequantizeLinear\n"
            "w/dequantized = DequantizeLinear(w/quantized, w/scale/float16, w/zero_point) axis=0 "
            "@conv.weight/DequantizeLinear\n"
            "y = Conv(x/dequantized, w/dequantized, conv.bias/corrected/float16) @conv\n"
            "y/float32 = Cast(y) to=1 @y/Cast\n"  // No Conv is behind it: the head is decoded here.
            "s = Sigmoid(y/float32) @act\n"
            "return s\n");
}

TEST(Apply, AnFp32LayerOrNodeOfAnFp16PlanStaysFloat32) {
  for (const bool by_layer : {true, false}) {
    Plan plan = plan_for_it();
    plan.float_type = Precision::fp16;
    if (by_layer) plan.layers[0].precision = Precision::fp32;
    if (!by_layer) plan.fp32_nodes = {{"conv", "too large"}};

    Graph graph = apply(small_model(), plan);
    graph::infer_shapes(graph);

    EXPECT_EQ(graph.type_of("y").dtype, DType::f32);
    EXPECT_EQ(graph.constant("w/scale")->dtype(), DType::f32);
  }
}

TEST(Apply, AHalfLayerWhoseWeightsOverflowIsRefused) {
  Graph model = small_model();
  model.constants["w"] = Tensor::of<float>({2, 1, 1, 1}, {1e6f, 1});
  const Plan plan{.layers = {{.id = 0, .name = "conv", .precision = Precision::fp16}}};

  EXPECT_THROW(apply(model, plan), Error);
}

TEST(Apply, AGraphOutputThatIsQuantizedForAReaderStaysFloat) {
  const Graph model = graph::parse(R"(
      w = float32[1,1,1,1] {1.0}
      r = Relu(x) @relu
      y = Conv(r, w) @conv
      return y, r)");
  const Plan plan{
      .activations = {{.tensor = "r", .quantizer = {DType::u8, 0.5f, 3}, .readers = {"conv:0"}}}};

  const Graph quantized = apply(model, plan);

  EXPECT_EQ(quantized.outputs[1].name, "r");
  EXPECT_EQ(quantized.constant("r/zero_point")->dtype(), DType::u8);
}

/// A plan for a Conv behind a pool, of one target.
Graph file_for(const std::string& target) {
  const Graph model = graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {1.0}
      r = Relu(x) @relu
      p = MaxPool(r) kernel_shape=[1,1] @pool
      y = Conv(p, w) @conv
      return y)");
  return apply_for_target(
      model,
      {.target = target,
       .activations = {{.tensor = "p", .quantizer = {DType::u8, 0.5f, 3}, .readers = {"conv:0"}}}});
}

TEST(Apply, AFileHasItsQuantizersWhereItsTargetLikesThem) {
  const Graph behind = file_for("tensorrt");
  const Graph before = file_for("openvino");

  EXPECT_EQ(behind[*behind.producer("p")].inputs[0], "r");
  EXPECT_EQ(before[*before.producer("p")].inputs[0], "r/dequantized");
  EXPECT_EQ(before[*before.producer("y")].inputs[0], "p");
  EXPECT_THROW(file_for("tpu"), Error);
}

void expect_refusal(const Plan& plan, const char* message) {
  try {
    apply(small_model(), plan);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(Apply, APlanOfAnotherModelIsRefused) {
  Plan plan = plan_for_it();
  plan.activations[0].tensor = "other";
  expect_refusal(plan, "tensor 'other'");

  plan = plan_for_it();
  plan.activations[0].readers = {"conv:7"};
  expect_refusal(plan, "reader 'conv:7'");

  plan = plan_for_it();
  plan.activations[0].readers = {"act:0"};
  expect_refusal(plan, "it reads 'y'");

  plan = plan_for_it();
  plan.weights[0].layer = "other";
  expect_refusal(plan, "layer 'other'");

  plan = plan_for_it();
  plan.weights[0].scales = {1.0f};
  expect_refusal(plan, "1 scales for the weight of 'conv', expected 2");
}

TEST(Apply, AWeightThatIsNotFiniteIsRefused) {
  Graph model = small_model();
  model.constants["w"] =
      Tensor::of<float>({2, 1, 1, 1}, {1, std::numeric_limits<float>::quiet_NaN()});

  try {
    apply(model, plan_for_it());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_value);
    EXPECT_THAT(error.what(), HasSubstr("the weight of layer 'conv' holds nan"));
  }
}

TEST(Apply, APlanWithAWeightTwiceIsRefused) {
  Plan plan = plan_for_it();
  plan.weights.push_back(plan.weights[0]);

  expect_refusal(plan, "the weight of 'conv' twice");
}

}  // namespace
}  // namespace yoloq::quantize
