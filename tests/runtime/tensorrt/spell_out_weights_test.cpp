// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/spell_out_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "graph/execute.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::runtime::tensorrt {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;
using testing::ElementsAreArray;

TEST(SpellOutWeights, PutsAQuantizerBehindTheFloatWeight) {
  Graph graph = parse(R"(
      codes = int8[2,1,1,1] {3, -128}
      s = float32[2] {0.5, 0.25}
      z = int8[2] {0, 0}
      w = DequantizeLinear(codes, s, z) axis=0
      y = Conv(x, w)
      return y)");

  EXPECT_EQ(spell_out_weights(graph), 1);

  EXPECT_EQ(to_text(graph),
            "codes_codes = QuantizeLinear(codes_float, s, z) axis=0\n"
            "w = DequantizeLinear(codes_codes, s, z) axis=0\n"
            "y = Conv(x, w)\n"
            "return y\n");
  EXPECT_THAT(graph.constant("codes_float")->values<float>(), ElementsAre(3 * 0.5, -128 * 0.25));
  EXPECT_EQ(graph.constant("codes"), nullptr);
  graph::verify(graph);
}

TEST(SpellOutWeights, GivesEachCodeBackForScalesOfAnySize) {
  std::string codes;
  for (int code = -128; code <= 127; ++code) {
    codes += (codes.empty() ? "" : ", ") + std::to_string(code);
  }
  for (const auto* scale : {"3.1e-7", "0.0123456789", "0.3333333", "7.7e3"}) {
    Graph graph = parse("codes = int8[256] {" + codes + "}\ns = float32[] {" + scale +
                        "}\nw = DequantizeLinear(codes, s)\nreturn w");
    const auto before = graph::execute(graph, {});

    spell_out_weights(graph);

    const auto after = graph::execute(graph, {});
    EXPECT_THAT(after.at("w").values<float>(), ElementsAreArray(before.at("w").values<float>()))
        << scale;
  }
}

TEST(SpellOutWeights, GivesAnAbsentZeroPointTheTypeOfTheCodes) {
  Graph graph = parse(R"(
      codes = int8[2,1,1,1] {3, 4}
      s = float32[] {0.5}
      w = DequantizeLinear(codes, s)
      return w)");

  spell_out_weights(graph);

  EXPECT_EQ(graph.constant("codes_zero_point")->dtype(), DType::i8);
  graph::verify(graph);
}

TEST(SpellOutWeights, HasNothingToDoOnASecondRun) {
  Graph graph = parse(R"(
      codes = int8[1,1,1,1] {3}
      s = float32[] {0.5}
      z = int8[] {0}
      w = DequantizeLinear(codes, s, z)
      return w)");
  spell_out_weights(graph);

  EXPECT_EQ(spell_out_weights(graph), 0);
}

struct Untouched {
  const char* why;
  const char* text;
};

void PrintTo(const Untouched& row, std::ostream* out) { *out << row.why; }

class SpellOutWeightsLeaves : public testing::TestWithParam<Untouched> {};

TEST_P(SpellOutWeightsLeaves, Alone) {
  Graph graph = parse(GetParam().text);
  const std::string before = to_text(graph);

  EXPECT_EQ(spell_out_weights(graph), 0);
  EXPECT_EQ(to_text(graph), before);
}

INSTANTIATE_TEST_SUITE_P(Of, SpellOutWeightsLeaves,
                         testing::Values(Untouched{"a bias, whose codes are int32", R"(
                        codes = int32[2] {3, 4}
                        s = float32[] {0.5}
                        b = DequantizeLinear(codes, s)
                        return b)"},
                                         Untouched{"an activation", R"(
                        s = float32[] {0.5}
                        z = int8[] {0}
                        q = QuantizeLinear(x, s, z)
                        y = DequantizeLinear(q, s, z)
                        return y)"},
                                         Untouched{"codes that are asymmetric uint8", R"(
                        codes = uint8[2] {3, 4}
                        s = float32[] {0.5}
                        z = uint8[] {7}
                        w = DequantizeLinear(codes, s, z)
                        return w)"}));

TEST(SayKernelShapes, WritesThatOfTheCodesWhereItIsMissing) {
  Graph graph = parse(R"(
      codes = int8[1,1,3,2] {1, 2, 3, 4, 5, 6}
      s = float32[] {0.5}
      z = int8[] {0}
      w = DequantizeLinear(codes, s, z)
      y = Conv(x, w)
      return y)");

  EXPECT_EQ(say_kernel_shapes(graph), 1);
  EXPECT_THAT(graph[*graph.producer("y")].integers("kernel_shape"), ElementsAre(3, 2));
  EXPECT_EQ(say_kernel_shapes(graph), 0);
}

TEST(SayKernelShapes, LeavesOtherWeightsAlone) {
  Graph graph = parse(R"(
      float = float32[1,1,1,1] {1}
      y = Conv(x, float)
      v = Relu(u)
      z = Conv(y, v)
      return z)");

  EXPECT_EQ(say_kernel_shapes(graph), 0);
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
