// SPDX-License-Identifier: Apache-2.0
#include "transform/eliminate_dead.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

TEST(EliminateDead, RemovesNodesConstantsAndTypesThatNothingReads) {
  Graph graph = parse(R"(
      input x float32[2]
      c = float32[2] {1,2}
      unread = float32[2] {3,4}
      a = Mul(x, c)
      b = Relu(a)
      y = Sigmoid(x)
      return y)");
  graph.value_types["b"] = {DType::f32, {}};
  const Graph before = graph;

  EXPECT_EQ(eliminate_dead(graph), 2 + 2);

  EXPECT_EQ(to_text(graph), "input x float32[2]\ny = Sigmoid(x)\nreturn y\n");
  EXPECT_TRUE(graph.constants.empty());
  EXPECT_TRUE(graph.value_types.empty());
  expect_same_outputs(graph, before);
  EXPECT_EQ(eliminate_dead(graph), 0);
}

TEST(EliminateDead, RemovesInputsThatRepeatAConstant) {
  Graph graph = parse("input x float32[1], w float32[1]\ny = Mul(x, w)\nreturn y");
  graph.constants["w"] = Tensor::list<float>({2});
  graph.ir_version = 3;

  EXPECT_EQ(eliminate_dead(graph), 1);

  EXPECT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.ir_version, 4);
}

class EliminateDeadLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(EliminateDeadLeavesAlone, TheGraph) {
  Graph graph = parse(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(eliminate_dead(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kEliminateDeadLeaves[] = {
    {"AnInputIsUnread", "input x float32[1], unread float32[1]\ny = Relu(x)\nreturn y"},
    {"OneOfSeveralOutputsIsRead", "a, b = Split(x)\nreturn b"},
    {"AConstantIsReturned", "c = float32[1] {1}\nreturn c"},
};

INSTANTIATE_TEST_SUITE_P(When, EliminateDeadLeavesAlone, testing::ValuesIn(kEliminateDeadLeaves),
                         [](const auto& row) { return row.param.why; });

TEST(EliminateDead, KeepsWhatASubgraphReads) {
  Graph graph = parse("a = Relu(x)\nc = float32[1] {1}\ny = If(x)\nreturn y");
  graph[graph.nodes()[1]].captured = {"a", "c"};

  EXPECT_EQ(eliminate_dead(graph), 0);
}

}  // namespace
}  // namespace yoloq::transform
