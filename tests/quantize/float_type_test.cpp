// SPDX-License-Identifier: Apache-2.0
#include "quantize/float_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/half.h"
#include "graph/execute.h"
#include "graph/shapes.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::quantize {
namespace {

using graph::Graph;
using testing::HasSubstr;
using testing::IsEmpty;

Graph in_half(const char* text, const FloatTypeOptions& options = {}) {
  Graph graph = graph::parse(text);
  set_float_type(graph, options);
  graph::verify(graph);
  return graph;
}

constexpr const char* kConvWithSilu = R"(
    input x float32[1,1,2,2]
    w = float32[1,1,1,1] {2.0}
    b = float32[1] {0.5}
    y = Conv(x, w, b) @conv
    s = Sigmoid(y) @gate
    m = Mul(y, s) @silu
    z = Conv(m, w, b) @head
    return z)";

TEST(SetFloatType, CastsOnceAtEachEnd) {
  const Graph half = in_half(kConvWithSilu);

  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "x/float16 = Cast(x) to=10 @x/Cast\n"
            "y = Conv(x/float16, w/float16, b/float16) @conv\n"
            "s = Sigmoid(y) @gate\n"
            "m = Mul(y, s) @silu\n"
            "z/float16 = Conv(m, w/float16, b/float16) @head\n"
            "z = Cast(z/float16) to=1 @z/Cast\n"
            "return z\n");
  EXPECT_EQ(half.constant("w/float16")->dtype(), DType::f16);
  EXPECT_EQ(half.constant("w"), nullptr);
}

TEST(SetFloatType, ClipAndHardSigmoidComputeInFloat16) {
  const char* text = R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      zero = float32[] {0}
      six = float32[] {6}
      y = Conv(x, w) @conv
      r = Clip(y, zero, six) @relu6
      h = HardSigmoid(r) @gate
      z = Conv(h, w) @head
      return z)";

  const Graph half = in_half(text);

  int casts = 0;
  for (const graph::NodeId id : half.nodes()) casts += half[id].op == "Cast" ? 1 : 0;
  EXPECT_EQ(casts, 2);  // One at each end.
  EXPECT_THAT(find_fp32_nodes(graph::parse(text), value_bounds(graph::parse(text))),
              testing::IsEmpty());
}

TEST(SetFloatType, TypesAreWhatInferenceFinds) {
  Graph half = in_half(kConvWithSilu);
  const auto noted = half.value_types;

  graph::infer_shapes(half);

  EXPECT_EQ(half.type_of("m").dtype, DType::f16);
  EXPECT_EQ(half.outputs[0].type.dtype, DType::f32);
  for (const auto& [value, type] : noted) EXPECT_EQ(half.type_of(value).dtype, type.dtype) << value;
}

TEST(SetFloatType, ComputesTheSameButForFloat16Rounding) {
  const Graph model = graph::parse(kConvWithSilu);
  const Graph half = in_half(kConvWithSilu);
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {0.0f, 0.25f, 0.5f, 1.0f});

  const auto expected = graph::execute(model, {{"x", x}}).at("z").to_floats();
  const auto got = graph::execute(half, {{"x", x}}).at("z").to_floats();

  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], 4 * 0x1p-11 * 10);  // Four roundings of values up to 10.
  }
}

TEST(SetFloatType, LeavesNothingToDoForASecondRun) {
  const Graph once = in_half(kConvWithSilu);
  Graph twice = once;
  set_float_type(twice, {});

  EXPECT_EQ(graph::to_text(twice), graph::to_text(once));
}

constexpr const char* kQuantized = R"(
    input x float32[1,1,2,2]
    xs = float32[] {0.5}
    rs = float32[] {0.25}
    zero = int8[] {0}
    codes = int8[1,1,1,1] {4}
    ws = float32[1] {0.125}
    zeros = int8[1] {0}
    xq = QuantizeLinear(x, xs, zero)
    xd = DequantizeLinear(xq, xs, zero)
    wd = DequantizeLinear(codes, ws, zeros) axis=0
    y = Conv(xd, wd) @first
    r = Relu(y) @relu
    rq = QuantizeLinear(r, rs, zero)
    rd = DequantizeLinear(rq, rs, zero)
    z = Conv(rd, wd) @second
    return z)";

TEST(SetFloatType, QuantizersTakeTheTypeOfWhatTheyReadAndOfTheirReaders) {
  const Graph half = in_half(kQuantized);

  EXPECT_EQ(half.opset(), 19);
  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "xq = QuantizeLinear(x, xs, zero)\n"  // Float32 to codes: no Cast is needed.
            "xd = DequantizeLinear(xq, xs/float16, zero)\n"
            "wd = DequantizeLinear(codes, ws/float16, zeros) axis=0\n"
            "y = Conv(xd, wd) @first\n"
            "r = Relu(y) @relu\n"
            "rq = QuantizeLinear(r, rs/float16, zero)\n"
            "rd = DequantizeLinear(rq, rs/float16, zero)\n"
            "z/float16 = Conv(rd, wd) @second\n"
            "z = Cast(z/float16) to=1 @z/Cast\n"
            "return z\n");
}

TEST(SetFloatType, ReadersOfBothTypesGetADequantizerEach) {
  const Graph half = in_half(R"(
      input x float32[1,1,2,2]
      xs = float32[] {0.5}
      zero = int8[] {0}
      w = float32[1,1,1,1] {2.0}
      xq = QuantizeLinear(x, xs, zero)
      xd = DequantizeLinear(xq, xs, zero) @dq
      y = Conv(xd, w) @narrow
      z = Conv(xd, w) @wide
      return y, z)",
                             {.nodes = {{"wide", Precision::fp32}}});

  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "xq = QuantizeLinear(x, xs, zero)\n"
            "xd = DequantizeLinear(xq, xs/float16, zero) @dq\n"
            "xd/float32 = DequantizeLinear(xq, xd/float32/scale, zero) @dq/float32\n"
            "y/float16 = Conv(xd, w/float16) @narrow\n"
            "y = Cast(y/float16) to=1 @y/Cast\n"
            "z = Conv(xd/float32, w) @wide\n"
            "return y, z\n");
}

TEST(SetFloatType, AScaleThatFloat16DoesNotHoldStaysFloat32BehindCasts) {
  std::string text = kQuantized;
  text.replace(text.find("{0.25}"), 6, "{0.1}");

  const Graph half = in_half(text.c_str());

  EXPECT_THAT(graph::to_text(half), HasSubstr("r/float32 = Cast(r) to=1 @r/Cast\n"
                                              "rq = QuantizeLinear(r/float32, rs, zero)\n"
                                              "rd = DequantizeLinear(rq, rs, zero)\n"
                                              "rd/float16 = Cast(rd) to=10 @rd/Cast\n"
                                              "z/float16 = Conv(rd/float16, wd) @second\n"));
}

TEST(SetFloatType, ALayerInFloat32GetsCastsAroundIt) {
  const Graph half = in_half(kConvWithSilu, {.nodes = {{"gate", Precision::fp32}}});

  EXPECT_THAT(graph::to_text(half), HasSubstr("y/float32 = Cast(y) to=1 @y/Cast\n"
                                              "s = Sigmoid(y/float32) @gate\n"
                                              "s/float16 = Cast(s) to=10 @s/Cast\n"
                                              "m = Mul(y, s/float16) @silu\n"));
}

TEST(SetFloatType, BetweenTwoFloat32NodesNothingIsCast) {
  const Graph half =
      in_half(kConvWithSilu, {.nodes = {{"conv", Precision::fp32}, {"gate", Precision::fp32}}});

  EXPECT_THAT(graph::to_text(half), HasSubstr("y = Conv(x, w, b) @conv\n"
                                              "y/float16 = Cast(y) to=10 @y/Cast\n"
                                              "s = Sigmoid(y) @gate\n"));
}

TEST(SetFloatType, CastsOfTheModelThatCancelAreDropped) {
  const Graph half = in_half(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      h = float16[1,1,1,1] {1.0}
      y = Conv(x, w) @a
      narrow = Cast(y) to=10
      sum = Add(narrow, h) @half_already
      wide = Cast(sum) to=1
      z = Conv(wide, w) @b
      return z)");

  EXPECT_EQ(graph::to_text(half),
            "input x float32[1,1,2,2]\n"
            "x/float16 = Cast(x) to=10 @x/Cast\n"
            "y = Conv(x/float16, w/float16) @a\n"
            "sum = Add(y, h) @half_already\n"
            "z/float16 = Conv(sum, w/float16) @b\n"
            "z = Cast(z/float16) to=1 @z/Cast\n"
            "return z\n");
}

TEST(SetFloatType, ACastThatRoundsStays) {
  const Graph half = in_half(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      narrow = Cast(x) to=10
      wide = Cast(narrow) to=1
      y = Conv(wide, w) @a
      return y)",
                             {.type = Precision::fp32});

  EXPECT_THAT(graph::to_text(half),
              HasSubstr("narrow = Cast(x) to=10\nwide = Cast(narrow) to=1\n"));
}

TEST(SetFloatType, DecodingStaysFloat32BehindWhatMovesTheHead) {
  const Graph half = in_half(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      shape = int64[2] {1,4}
      stride = float32[] {32.0}
      y = Conv(x, w) @head
      v = Reshape(y, shape) @view
      p = Sigmoid(v) @scores
      o = Mul(p, stride) @pixels
      return o)");

  EXPECT_THAT(graph::to_text(half), HasSubstr("v = Reshape(y, shape) @view\n"
                                              "v/float32 = Cast(v) to=1 @v/Cast\n"
                                              "p = Sigmoid(v/float32) @scores\n"
                                              "o = Mul(p, stride) @pixels\n"));
}

TEST(SetFloatType, ScalesOfAResizeAndReadersOfShapesAreLeftAlone) {
  const Graph half = in_half(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      scales = float32[4] {1.0,1.0,2.0,2.0}
      y = Conv(x, w) @a
      size = Shape(y)
      u = Resize(y, , scales) mode="nearest" @up
      z = Conv(u, w) @b
      return z, size)");

  EXPECT_THAT(graph::to_text(half), HasSubstr("size = Shape(y)\n"));
  EXPECT_THAT(graph::to_text(half), HasSubstr("u = Resize(y, , scales)"));
  EXPECT_EQ(half.constant("scales")->dtype(), DType::f32);
}

TEST(SetFloatType, AParameterBeyondFloat16KeepsItsNodeInFloat32) {
  const char* text = R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {1000000.0}
      y = Conv(x, w) @big
      return y)";

  EXPECT_EQ(graph::to_text(in_half(text)), graph::to_text(graph::parse(text)));
  EXPECT_THROW(in_half(text, {.nodes = {{"big", Precision::fp16}}}), Error);
}

struct Case {
  const char* name;
  const char* line;  ///< Writes y, of x.
  const char* why;
};

void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }

class StaysFloat32 : public testing::TestWithParam<Case> {};

TEST_P(StaysFloat32, AndSaysWhy) {
  const Graph graph = graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {1.0}
      large = float32[1,1,1,1] {70000.0}
      huge = float32[] {1e30}
      tiny = float32[] {1e-30}
      )" + std::string(GetParam().line) +
                                   R"( @node
      z = Conv(y, w) @next
      return z)");

  const auto found = find_fp32_nodes(graph, value_bounds(graph));

  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].name, "node");
  EXPECT_THAT(found[0].why, HasSubstr(GetParam().why));
}

constexpr Case kCases[] = {
    {"OtherOperator", "y = Exp(x)", "Exp is not computed in float16"},
    {"LargeWeight", "y = Conv(x, large)", "its constant 'large' does not fit"},
    {"LargeFactor", "y = Mul(x, huge)", "its constant 'huge' does not fit"},
};

INSTANTIATE_TEST_SUITE_P(, StaysFloat32, testing::ValuesIn(kCases),
                         [](const auto& row) { return row.param.name; });

TEST(FindFp32Nodes, NamesEveryNodeThatReadsOrWritesAWideValue) {
  const Graph graph = graph::parse(R"(
      input x float32[1,2,2,2]
      w = float32[2,2,1,1] {40000.0,40000.0,1.0,1.0}
      v = float32[1,2,1,1] {1.0,1.0}
      y = Conv(x, w) @wide
      s = Sigmoid(y) @gate
      m = Mul(y, s) @silu
      small = Sigmoid(m) @squash
      z = Conv(small, v) @next
      return z)");

  const auto found = find_fp32_nodes(graph, value_bounds(graph));

  std::vector<std::string> names;
  for (const Fp32Node& node : found) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre("wide", "gate", "silu", "squash"));
  EXPECT_EQ(found[0].why, "'y' may reach 80000; float16 ends at 65504");
}

TEST(FindFp32Nodes, WhatWasSeenMakesItFit) {
  const Graph graph = graph::parse(R"(
      input x float32[1,2,2,2]
      w = float32[1,2,1,1] {40000.0,40000.0}
      y = Conv(x, w) @wide
      return y)");

  EXPECT_THAT(values_to_observe(graph, value_bounds(graph)), testing::ElementsAre("y"));
  EXPECT_THAT(find_fp32_nodes(graph, value_bounds(graph, {{"y", {0, 30000}}})), IsEmpty());
}

TEST(FindFp32Nodes, DecodingBehindTheHeadIsNotListed) {
  const Graph graph = graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {2.0}
      y = Conv(x, w) @head
      o = Exp(y) @decode
      return o)");

  EXPECT_THAT(find_fp32_nodes(graph, value_bounds(graph)), IsEmpty());
}

}  // namespace
}  // namespace yoloq::quantize
