// SPDX-License-Identifier: Apache-2.0
#include "runtime/literal_float.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::runtime {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LiteralFloat, WritesAQuantizerOutInFloatOperators) {
  const Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {-3}
      q = QuantizeLinear(x, s, z) @in/q
      y = DequantizeLinear(q, s, z) @in/dq
      return y)");

  const Graph literal = literal_float(graph);

  EXPECT_EQ(to_text(literal),
            "q_Div = Div(x, q_scale) @in/q/Div\n"
            "q_Round = Round(q_Div) @in/q/Round\n"
            "q_Add = Add(q_Round, q_zero_point) @in/q/Add\n"
            "q = Clip(q_Add, q_low, q_high) @in/q\n"
            "y_Cast = Cast(q) to=1 @in/dq/Cast\n"
            "y_Sub = Sub(y_Cast, y_zero_point) @in/dq/Sub\n"
            "y = Mul(y_Sub, y_scale) @in/dq\n"
            "return y\n");
  EXPECT_THAT(literal.constant("q_zero_point")->to_floats(), ElementsAre(-3));
  EXPECT_THAT(literal.constant("q_low")->to_floats(), ElementsAre(-128));
  EXPECT_THAT(literal.constant("q_high")->to_floats(), ElementsAre(127));
  graph::verify(literal);
}

TEST(LiteralFloat, WritesOutOnlyTheConstantsThatWereChosen) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      c = int8[2] {3,-7}
      e = int8[2] {1,2}
      q = QuantizeLinear(x, s)
      d = DequantizeLinear(q, s)
      w = DequantizeLinear(c, s)
      v = DequantizeLinear(e, s)
      y = Add(w, v)
      z = Mul(y, d)
      return z)");
  const graph::NodeId chosen = *graph.producer("w");

  const Graph written = with_float_constants(std::move(graph), {{chosen}});

  EXPECT_EQ(to_text(written),
            "q = QuantizeLinear(x, s)\n"
            "d = DequantizeLinear(q, s)\n"
            "v = DequantizeLinear(e, s)\n"
            "y = Add(w, v)\n"
            "z = Mul(y, d)\n"
            "return z\n");
  EXPECT_THAT(written.constant("w")->values<float>(), ElementsAre(3 * 0.5f, -7 * 0.5f));
  graph::verify(written);
}

TEST(LiteralFloat, TurnsQuantizedWeightsIntoFloats) {
  const Graph graph = parse(R"(
      s = float32[2] {0.5,2.0}
      z = int8[2] {1,0}
      c = int8[2,1,1,2] {3,5,7,-7}
      w = DequantizeLinear(c, s, z) axis=0
      y = Conv(x, w)
      return y)");

  const Graph literal = literal_float(graph);

  EXPECT_EQ(to_text(literal), "y = Conv(x, w)\nreturn y\n");
  EXPECT_THAT(literal.constant("w")->values<float>(),
              ElementsAre((3 - 1) * 0.5f, (5 - 1) * 0.5f, 7 * 2.0f, -7 * 2.0f));
  EXPECT_EQ(literal.constant("c"), nullptr);
}

TEST(LiteralFloat, RoundsFloatWeightsThatAreQuantizedInTheGraph) {
  const Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {0}
      f = float32[4] {0.6,0.25,0.75,1000.0}
      q = QuantizeLinear(f, s, z)
      w = DequantizeLinear(q, s, z)
      y = Add(x, w)
      return y)");

  const Graph literal = literal_float(graph);

  EXPECT_EQ(to_text(literal), "y = Add(x, w)\nreturn y\n");
  EXPECT_THAT(literal.constant("w")->values<float>(),
              ElementsAre(1 * 0.5f, 0 * 0.5f, 2 * 0.5f, 127 * 0.5f));  // Ties go to even codes.
}

TEST(LiteralFloat, LaysPerChannelScalesAlongTheirAxis) {
  const Graph graph = parse(R"(
      input x float32[1,2,4,4]
      s = float32[2] {1.0,2.0}
      z = uint8[2] {0,9}
      q = QuantizeLinear(x, s, z) axis=1
      y = DequantizeLinear(q, s, z) axis=-3
      return y)");

  const Graph literal = literal_float(graph);

  EXPECT_EQ(literal.constant("q_scale")->shape(), (Shape{2, 1, 1}));
  EXPECT_EQ(literal.constant("y_zero_point")->shape(), (Shape{2, 1, 1}));
  EXPECT_THAT(literal.constant("y_zero_point")->to_floats(), ElementsAre(0, 9));
}

TEST(LiteralFloat, TakesAbsentZeroPointsAsZero) {
  const Graph graph = parse(R"(
      s = float32[] {1.0}
      q = QuantizeLinear(x, s)
      y = DequantizeLinear(q, s)
      return y)");

  const Graph literal = literal_float(graph);

  EXPECT_THAT(literal.constant("q_zero_point")->to_floats(), ElementsAre(0));
  EXPECT_THAT(literal.constant("q_high")->to_floats(), ElementsAre(255));  // uint8.
}

TEST(LiteralFloat, LeavesOtherNodesAndFindsNothingOnASecondRun) {
  const Graph graph = parse("y = Relu(x)\nreturn y");

  EXPECT_EQ(literal_float(graph), graph);
}

TEST(WithoutActivationRounding, KeepsOnlyTheErrorOfTheWeights) {
  const Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {0}
      c = int8[1,1,1,1] {3}
      q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z)
      w = DequantizeLinear(c, s, z)
      y = Conv(d, w)
      return y)");

  const Graph model = without_activation_rounding(graph);

  EXPECT_EQ(to_text(model),
            "q = Identity(x)\n"
            "d = Identity(q)\n"
            "y = Conv(d, w)\n"
            "return y\n");
  EXPECT_THAT(model.constant("w")->values<float>(), ElementsAre(1.5f));
}

struct Refused {
  const char* why;
  const char* graph;
  const char* message;
};

void PrintTo(const Refused& row, std::ostream* out) { *out << row.why; }

class LiteralFloatRefuses : public testing::TestWithParam<Refused> {};

TEST_P(LiteralFloatRefuses, TheGraph) {
  const Graph graph = parse(std::string("s = float32[] {1.0}\nz = int8[] {0}\n"
                                        "pair = float32[2] {1.0,2.0}\n") +
                            GetParam().graph);
  try {
    literal_float(graph);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

constexpr Refused kRefused[] = {
    {"AComputedScale", "q = QuantizeLinear(x, computed, z) @here\nreturn q",
     "QuantizeLinear 'here' cannot be written out in float: its scale is computed"},
    {"CodesThatAreAnOutput", "q = QuantizeLinear(x, s, z)\nreturn q", "output of the model"},
    {"CodesForAnIntegerOperator", "q = QuantizeLinear(x, s, z)\ny = ConvInteger(q, w)\nreturn y",
     "ConvInteger"},
    {"Blocks", "y = DequantizeLinear(x, s, z) block_size=32\nreturn y", "blocked"},
    {"MoreScalesThanZeroPoints", "y = DequantizeLinear(x, pair, z) axis=-1\nreturn y",
     "as many zero points as scales"},
    {"AnAxisOfUnknownRank", "y = DequantizeLinear(x, pair) axis=0\nreturn y", "rank"},
    {"CodesBeyondSixteenBits", "q = QuantizeLinear(x, s) output_dtype=6\ny = Relu(q)\nreturn y",
     "int32"},
};

INSTANTIATE_TEST_SUITE_P(For, LiteralFloatRefuses, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.why; });

TEST(LiteralFloat, RefusesAnOpsetWithoutRound) {
  Graph graph = parse("y = Relu(x)\nreturn y");
  graph.opsets[""] = 10;

  EXPECT_THROW(literal_float(graph), Error);
}

}  // namespace
}  // namespace yoloq::runtime
