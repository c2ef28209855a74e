// SPDX-License-Identifier: Apache-2.0
#include "transform/merge_duplicates.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

TEST(MergeDuplicates, LetsReadersOfEqualNodesReadOne) {
  Graph graph = parse(R"(
      input x float32[1,2,4,4]
      c = int64[1] {0}
      d = int64[1] {0}
      e = int64[1] {2}
      axis = int64[1] {2}
      a = Slice(x, c, e, axis)
      b = Slice(x, d, e, axis)
      f = Relu(a)
      g = Relu(b)
      z = Add(f, g)
      return z)");
  const Graph before = graph;

  EXPECT_EQ(merge_duplicates(graph), 1 + 1 + 2);  // d; axis, which equals e; b and g.

  EXPECT_EQ(to_text(graph),
            "input x float32[1,2,4,4]\n"
            "a = Slice(x, c, axis, axis)\n"
            "f = Relu(a)\n"
            "z = Add(f, f)\n"
            "return z\n");
  expect_same_outputs(graph, before);
  EXPECT_EQ(merge_duplicates(graph), 0);
}

TEST(MergeDuplicates, MergesNodesOfSeveralOutputs) {
  Graph graph = parse("a, b = Split(x)\nc, d = Split(x)\ny = Add(a, d)\nreturn y");

  EXPECT_EQ(merge_duplicates(graph), 1);
  EXPECT_EQ(to_text(graph), "a, b = Split(x)\ny = Add(a, b)\nreturn y\n");
}

class MergeDuplicatesLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(MergeDuplicatesLeavesAlone, TheGraph) {
  Graph graph = parse(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(merge_duplicates(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kMergeDuplicatesLeaves[] = {
    {"AttributesDiffer", "a = Softmax(x) axis=1\nb = Softmax(x) axis=2\ny = Add(a, b)\nreturn y"},
    {"InputsDiffer", "a = Sub(x, w)\nb = Sub(w, x)\ny = Add(a, b)\nreturn y"},
    {"DomainsDiffer", "a = Relu(x)\nb = my::Relu(x)\ny = Add(a, b)\nreturn y"},
    {"TheSecondIsReturned", "a = Relu(x)\nb = Relu(x)\ny = Neg(a)\nreturn b, y"},
    {"TheyAreRandom", "a = RandomNormalLike(x)\nb = RandomNormalLike(x)\ny = Add(a, b)\nreturn y"},
    {"ConstantsDifferInType", R"(
        c = int64[1] {0}
        d = int32[2] {0,0}
        a = Gather(x, c)
        b = Gather(x, d)
        return a, b)"},
    {"ConstantsDifferInShape", R"(
        c = float32[1] {0}
        d = float32[1,1] {0}
        a = Add(x, c)
        b = Add(x, d)
        return a, b)"},
    {"LayersHaveEqualWeights", R"(
        v = float32[1,1,1,1] {2}
        w = float32[1,1,1,1] {2}
        a = Conv(x, v)
        b = Conv(a, w)
        return b)"},
};

INSTANTIATE_TEST_SUITE_P(When, MergeDuplicatesLeavesAlone,
                         testing::ValuesIn(kMergeDuplicatesLeaves),
                         [](const auto& row) { return row.param.why; });

TEST(MergeDuplicates, KeepsTheNamesThatASubgraphReads) {
  Graph graph = parse("a = Relu(x)\nb = Relu(x)\nc = Add(a, b)\ny = If(c)\nreturn y");
  graph[graph.nodes()[3]].captured = {"b"};

  EXPECT_EQ(merge_duplicates(graph), 0);
}

}  // namespace
}  // namespace yoloq::transform
