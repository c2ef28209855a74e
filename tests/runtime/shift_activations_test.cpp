// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/shift_activations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::runtime::openvino {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using graph::to_text_with_constants;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ShiftActivations, MovesTheZeroPointBy128) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {-3}
      q = QuantizeLinear(x, s, z)
      y = DequantizeLinear(q, s, z)
      return y)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 1);

  EXPECT_EQ(to_text(graph),
            "q = QuantizeLinear(x, s, z_u8)\n"
            "y = DequantizeLinear(q, s, z_u8)\n"
            "return y\n");
  EXPECT_THAT(graph.constant("z_u8")->values<std::uint8_t>(), ElementsAre(-3 + 128));
  EXPECT_EQ(graph.constant("z"), nullptr);
  graph::verify(graph);
}

TEST(ShiftActivations, LeavesTheWeightsThatShareTheirZeroPoint) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {0}
      c = int8[8,3,1,1] {7}
      q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z)
      w = DequantizeLinear(c, s, z)
      y = Conv(d, w)
      return y)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 1);

  EXPECT_EQ(to_text(graph),
            "q = QuantizeLinear(x, s, z_u8)\n"
            "d = DequantizeLinear(q, s, z_u8)\n"
            "w = DequantizeLinear(c, s, z)\n"
            "y = Conv(d, w)\n"
            "return y\n");
}

TEST(ShiftActivations, SharesOneNewZeroPointAmongAllThatSharedTheOld) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {0}
      q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z)
      qe = QuantizeLinear(d, s, z)
      e = DequantizeLinear(qe, s, z)
      f = DequantizeLinear(qe, s, z)
      return e, f)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 2);

  EXPECT_EQ(graph.constants.size(), 2u);
  EXPECT_EQ(graph.readers("z_u8"), 5u);
}

TEST(ShiftActivations, MovesEachChannelOfAPerAxisZeroPoint) {
  Graph graph = parse(R"(
      s = float32[3] {1.0,2.0,3.0}
      z = int8[3] {-128,0,127}
      q = QuantizeLinear(x, s, z) axis=1
      y = DequantizeLinear(q, s, z) axis=1
      return y)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 1);

  EXPECT_THAT(graph.constant("z_u8")->values<std::uint8_t>(), ElementsAre(0, 128, 255));
}

TEST(ShiftActivations, GivesAZeroPointToThoseThatLeftItOut) {
  Graph graph = parse(R"(
      s = float32[2] {1.0,2.0}
      q = QuantizeLinear(x, s) output_dtype=3
      y = DequantizeLinear(q, s)
      return y)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 1);

  const auto& quantize = graph[*graph.producer("q")];
  EXPECT_FALSE(quantize.attributes.contains("output_dtype"));
  for (const char* value : {"q", "y"}) {
    const auto& node = graph[*graph.producer(value)];
    ASSERT_EQ(node.inputs.size(), 3u);
    EXPECT_EQ(graph.constant(node.inputs[2])->shape(), (Shape{2}));
    EXPECT_THAT(graph.constant(node.inputs[2])->values<std::uint8_t>(), Each(128));
  }
}

TEST(ShiftActivations, FollowsCodesThroughOperatorsThatMoveThem) {
  Graph graph = parse(R"(
      s = float32[] {1.0}
      z = int8[] {0}
      a = QuantizeLinear(x, s, z)
      b = QuantizeLinear(v, s, z)
      m = MaxPool(a) kernel_shape=[3,3]
      c = Concat(m, b) axis=1
      l, r = Split(c) axis=1
      y = DequantizeLinear(l, s, z)
      w = DequantizeLinear(r, s, z)
      return y, w)");

  EXPECT_EQ(shift_activations_to_uint8(graph), 2);

  EXPECT_EQ(graph.readers("z_u8"), 4u);
  EXPECT_EQ(graph.constant("z"), nullptr);
}

TEST(ShiftActivations, KeepsTheKnownTypesTrue) {
  Graph graph = parse(R"(
      s = float32[] {1.0}
      z = int8[] {0}
      q = QuantizeLinear(x, s, z)
      y = DequantizeLinear(q, s, z)
      return y)");
  graph.value_types["q"] = {DType::i8, graph::Dims{graph::Dim::fixed(4)}};

  shift_activations_to_uint8(graph);

  EXPECT_EQ(graph.type_of("q").dtype, DType::u8);
  EXPECT_EQ(graph.type_of("q").dims, graph::Dims{graph::Dim::fixed(4)});
}

TEST(ShiftActivations, FindsNothingOnASecondRun) {
  Graph graph = parse(R"(
      s = float32[] {1.0}
      z = int8[] {0}
      q = QuantizeLinear(x, s, z)
      y = DequantizeLinear(q, s, z)
      return y)");

  shift_activations_to_uint8(graph);

  EXPECT_EQ(shift_activations_to_uint8(graph), 0);
}

struct LeftAlone {
  const char* why;
  const char* graph;
};

void PrintTo(const LeftAlone& row, std::ostream* out) { *out << row.why; }

class ShiftActivationsLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(ShiftActivationsLeavesAlone, TheGraph) {
  Graph graph = parse(std::string("s = float32[] {1.0}\nz = int8[] {0}\nu = uint8[] {128}\n") +
                      GetParam().graph);
  const std::string before = to_text_with_constants(graph);

  EXPECT_EQ(shift_activations_to_uint8(graph), 0);
  EXPECT_EQ(to_text_with_constants(graph), before);
}

constexpr LeftAlone kShiftActivationsLeaves[] = {
    {"CodesAreUnsigned", R"(
        q = QuantizeLinear(x, s, u)
        y = DequantizeLinear(q, s, u)
        return y)"},
    {"CodesAreUnsignedAsTheZeroPointIsLeftOut", R"(
        q = QuantizeLinear(x, s)
        y = DequantizeLinear(q, s)
        return y)"},
    {"CodesAreAnOutput", R"(
        q = QuantizeLinear(x, s, z)
        y = DequantizeLinear(q, s, z)
        return y, q)"},
    {"CodesAreReadByAnotherOperator", R"(
        q = QuantizeLinear(x, s, z)
        y = DequantizeLinear(q, s, z)
        i = ConvInteger(q, w)
        return y, i)"},
    {"CodesAreMixedWithForeignOnes", R"(
        q = QuantizeLinear(x, s, z)
        c = Concat(q, foreign) axis=1
        y = DequantizeLinear(c, s, z)
        return y)"},
    {"TheZeroPointIsComputed", R"(
        computed = Identity(z)
        q = QuantizeLinear(x, s, computed)
        y = DequantizeLinear(q, s, computed)
        return y)"},
    {"TheInputIsAConstant", R"(
        q = QuantizeLinear(s, s, z)
        y = DequantizeLinear(q, s, z)
        return y)"},
};

INSTANTIATE_TEST_SUITE_P(When, ShiftActivationsLeavesAlone,
                         testing::ValuesIn(kShiftActivationsLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::runtime::openvino
