// SPDX-License-Identifier: Apache-2.0
#include "graph/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Execute, RunsNodesInOrderAndGivesOutputsByName) {
  const Graph graph = parse(R"(
      input x float32[2]
      two = float32[] {2}
      y = Mul(x, two)
      z = Add(y, x)
      return z, y)");

  const auto outputs = execute(graph, {{"x", Tensor::list<float>({1, 5})}});

  EXPECT_THAT(outputs.at("y").values<float>(), ElementsAre(1 * 2, 5 * 2));
  EXPECT_THAT(outputs.at("z").values<float>(), ElementsAre(1 * 2 + 1, 5 * 2 + 5));
}

TEST(Execute, ReturnsInputsAndConstantsThatAreOutputs) {
  const Graph graph = parse("input x float32[1]\nc = int64[1] {7}\nreturn x, c");

  const auto outputs = execute(graph, {{"x", Tensor::list<float>({3})}});

  EXPECT_THAT(outputs.at("x").values<float>(), ElementsAre(3));
  EXPECT_THAT(outputs.at("c").values<std::int64_t>(), ElementsAre(7));
}

TEST(Execute, ScattersSlicesWithoutElements) {
  const Graph graph = parse(R"(
      input x float32[2,0]
      i = int64[1,1] {0}
      u = float32[1,0] {}
      y = ScatterND(x, i, u)
      return y)");

  const auto outputs = execute(graph, {{"x", Tensor::of<float>({2, 0}, std::vector<float>())}});

  EXPECT_EQ(outputs.at("y").shape(), (Shape{2, 0}));
}

TEST(Execute, TakesAConstantForAnInputThatIsNotGiven) {
  Graph graph = parse("y = Relu(x)\nreturn y");
  graph.constants["x"] = Tensor::list<float>({-1, 2});

  EXPECT_THAT(execute(graph, {}).at("y").values<float>(), ElementsAre(0, 2));
}

TEST(Execute, SaysWhichInputIsMissing) {
  try {
    execute(parse("y = Relu(x)\nreturn y"), {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), HasSubstr("'x'"));
  }
}

TEST(Execute, SaysWhichOperatorHasNoKernel) {
  try {
    execute(parse("y = Einsum(x) @node7\nreturn y"), {{"x", Tensor::scalar(1.0f)}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("Einsum"));
    EXPECT_THAT(error.what(), HasSubstr("node7"));
  }
}

struct Wrong {
  const char* why;
  const char* graph;
};

void PrintTo(const Wrong& row, std::ostream* out) { *out << row.why; }

class ExecuteRefuses : public testing::TestWithParam<Wrong> {};

/// The input is [1, 2, 4, 4]; each node contradicts it.
TEST_P(ExecuteRefuses, ANodeThatContradictsItsInputs) {
  const Tensor x = Tensor::of<float>({1, 2, 4, 4}, std::vector<float>(32, 1.0f));

  EXPECT_THROW(execute(parse(GetParam().graph), {{"x", x}}), Error);
}

constexpr Wrong kWrong[] = {
    {"ChannelsDiffer", "w = float32[1,3,1,1] {1}\ny = Conv(x, w)\nreturn y"},
    {"GroupsDoNotDivide", "w = float32[3,1,1,1] {1}\ny = Conv(x, w) group=2\nreturn y"},
    {"BiasIsTooShort", "w = float32[2,2,1,1] {1}\nb = float32[1] {1}\ny = Conv(x, w, b)\nreturn y"},
    {"StrideIsZero", "w = float32[1,2,1,1] {1}\ny = Conv(x, w) strides=[0,1]\nreturn y"},
    {"PadsAreTooMany", "w = float32[1,2,1,1] {1}\ny = Conv(x, w) pads=[1,1]\nreturn y"},
    {"NoWeight", "y = Conv(x)\nreturn y"},
    {"ShapesDoNotBroadcast", "c = float32[3] {1}\ny = Add(x, c)\nreturn y"},
    {"TypesDiffer", "c = int64[1] {1}\ny = Add(x, c)\nreturn y"},
    {"AxisIsOutside", "y = Concat(x, x) axis=4\nreturn y"},
    {"TargetDoesNotFit", "c = int64[1] {31}\ny = Reshape(x, c)\nreturn y"},
    {"TwoOpenSizes", "c = int64[2] {-1,-1}\ny = Reshape(x, c)\nreturn y"},
    {"PartsDoNotAddUp", "c = int64[2] {1,2}\na, b = Split(x, c) axis=1\nreturn a"},
    {"IndexIsOutside", "c = int64[1] {4}\ny = Gather(x, c) axis=2\nreturn y"},
    {"StepIsZero", "c = int64[1] {0}\nd = int64[1] {1}\ny = Slice(x, c, d, c, c)\nreturn y"},
    {"DivisionByZero", "c = int64[1] {1}\nd = int64[1] {0}\ny = Div(c, d)\nreturn y"},
    {"AxisTwice", "c = int64[2] {0,-4}\ny = Squeeze(x, c)\nreturn y"},
    {"NoPermutation", "y = Transpose(x) perm=[0,1,1,2]\nreturn y"},
    {"ScalesOfAnotherRank", "c = float32[2] {2,2}\ny = Resize(x, , c) mode=nearest\nreturn y"},
    {"RangeWithoutEnd", "c = int64[] {1}\nd = int64[] {0}\ny = Range(d, c, d)\nreturn y"},
};

INSTANTIATE_TEST_SUITE_P(When, ExecuteRefuses, testing::ValuesIn(kWrong),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::graph
