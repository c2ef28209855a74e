// SPDX-License-Identifier: Apache-2.0
#include "graph/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "core/error.h"

namespace yoloq::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Text, PrintsWhatItReads) {
  const std::string text =
      "input x float32[1,3,H,?]\n"
      "input \"odd name\" int64\n"
      "y = Conv(x, weight, bias) auto_pad=SAME_UPPER strides=[2,2] @model.0.conv\n"
      "a, , b = Split(y) axis=1\n"
      "r = Resize(a, , scales) cubic_coeff_a=-0.75 mode=nearest\n"
      "q = com.example::Odd(r, \"odd name\") f=[0.5,1.0] n=\"3\" s=[one,\"two words\"] "
      "t=float32[2] {1.0,inf}\n"
      "return q, b float32[?,1]\n";

  EXPECT_EQ(to_text(parse(text)), text);
}

TEST(Text, KeepsSmallConstantsWhenAsked) {
  const std::string text =
      "c = int64[3] {-1,0,7}\n"
      "e = float32[0] {}\n"
      "h = float16[1] {0.5}\n"
      "s = bool[] {1}\n"
      "y = Where(s, c, x)\n"
      "return y\n";

  EXPECT_EQ(to_text_with_constants(parse(text)), text);
  EXPECT_EQ(parse(to_text_with_constants(parse(text))), parse(text));
}

TEST(Text, FillsAConstantWithOneElement) {
  const Graph graph = parse("w = float32[2,2] {0.5}\nreturn w");

  EXPECT_THAT(graph.constant("w")->values<float>(), ElementsAre(0.5f, 0.5f, 0.5f, 0.5f));
}

TEST(Text, MakesInputsOfNamesThatNothingWrites) {
  const Graph graph = parse("y = Add(x, b)\nz = Mul(y, x)\nreturn z");

  ASSERT_EQ(graph.inputs.size(), 2u);
  EXPECT_EQ(graph.inputs[0].name, "x");
  EXPECT_EQ(graph.inputs[1].name, "b");
}

TEST(Text, GivesRealAttributesTheirTypeWithoutAPoint) {
  const Graph graph = parse("y = BatchNormalization(x, a, b, c, d) epsilon=1\nreturn y");

  EXPECT_EQ(graph[graph.nodes()[0]].real("epsilon", 0), 1.0f);
}

TEST(Text, IgnoresCommentsAndBreaksInsideBrackets) {
  const Graph graph = parse("# first\ny = Relu(x)  # last\nw = int64[2] {1,\n  2}\nreturn y");

  EXPECT_EQ(graph.node_count(), 1u);
  EXPECT_THAT(graph.constant("w")->values<std::int64_t>(), ElementsAre(1, 2));
}

TEST(Text, ComparesGraphsWhateverTheirNodeIds) {
  Graph graph = parse("y = Relu(x)\nreturn y");
  graph.erase(graph.append({.op = "Neg", .inputs = {"x"}, .outputs = {"n"}}));

  EXPECT_EQ(graph, parse("y = Relu(x)\nreturn y"));
}

struct WrongText {
  const char* why;
  const char* text;
  const char* message;
};

void PrintTo(const WrongText& row, std::ostream* out) { *out << row.why; }

class TextRefuses : public testing::TestWithParam<WrongText> {};

TEST_P(TextRefuses, WithTheLine) {
  try {
    parse(GetParam().text);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

constexpr WrongText kWrongTexts[] = {
    {"NoOperator", "y = Relu(x)\ny = (x)", "line 2: expected an operator"},
    {"NoBrackets", "y = Relu x", "line 1: expected '('"},
    {"OpenQuote", "y = Relu(\"x)", "line 1: a quote is not closed"},
    {"WordBehindTheNode", "y = Relu(x) axis", "line 1: expected '='"},
    {"UnknownType", "input x float33[1]", "line 1: expected an element type"},
    {"TooFewElements", "w = int64[3] {1,2}", "expected 3 elements"},
    {"WrongElements", "w = int64[1] {half}", "expected elements of that type"},
    {"ElementsLeftOut", "w = float32[99] {...}", "expected elements of that type"},
    {"NothingReturned", "return", "line 1: expected a name"},
};

INSTANTIATE_TEST_SUITE_P(When, TextRefuses, testing::ValuesIn(kWrongTexts),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::graph
