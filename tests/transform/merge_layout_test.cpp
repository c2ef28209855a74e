// SPDX-License-Identifier: Apache-2.0
#include "transform/merge_layout.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/eliminate_dead.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

TEST(MergeLayout, SkipsAReshapeBeforeAReshape) {
  Graph graph = parse(R"(
      input x float32[n,2,6]
      first = int64[2] {0,12}
      second = int64[3] {-1,3,4}
      y = Reshape(x, first)
      z = Reshape(y, second)
      return z)");
  const Graph before = graph;

  EXPECT_EQ(merge_layout(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(to_text(graph), "input x float32[n,2,6]\nz = Reshape(x, second)\nreturn z\n");
  expect_same_outputs(graph, before, {{"n", 2}});
  EXPECT_EQ(merge_layout(graph), 0);
}

TEST(MergeLayout, ComposesTransposes) {
  Graph graph = parse(R"(
      input x float32[2,3,4]
      y = Transpose(x) perm=[1,2,0]
      z = Transpose(y) perm=[2,1,0]
      return z)");
  const Graph before = graph;

  EXPECT_EQ(merge_layout(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(to_text(graph), "input x float32[2,3,4]\nz = Transpose(x) perm=[0,2,1]\nreturn z\n");
  expect_same_outputs(graph, before);
}

TEST(MergeLayout, JoinsSlicesAlongTwoAxes) {
  Graph graph = parse(R"(
      input x float32[1,3,6,8]
      start = int64[1] {1}
      zero = int64[1] {0}
      far = int64[1] {9223372036854775807}
      rows = int64[1] {2}
      columns = int64[1] {3}
      two = int64[1] {2}
      y = Slice(x, start, far, rows, two)
      z = Slice(y, zero, far, columns)
      t = Slice(z, zero, start, zero)
      return t, z)");
  const Graph before = graph;

  EXPECT_EQ(merge_layout(graph), 2);

  eliminate_dead(graph);
  EXPECT_EQ(graph.node_count(), 2u);
  expect_same_outputs(graph, before);
  EXPECT_EQ(merge_layout(graph), 0);
}

class MergeLayoutLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(MergeLayoutLeavesAlone, TheGraph) {
  Graph graph = parse(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(merge_layout(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kMergeLayoutLeaves[] = {
    {"TheSecondTargetCopiesASize", R"(
        a = int64[2] {3,4}
        b = int64[2] {0,-1}
        y = Reshape(x, a)
        z = Reshape(y, b)
        return z)"},
    {"TheSecondTargetIsComputed",
     "a = int64[1] {-1}\ny = Reshape(x, a)\nz = Reshape(y, b)\nreturn z"},
    {"ElementsMoveInBetween", R"(
        a = int64[1] {-1}
        y = Transpose(x) perm=[1,0]
        z = Reshape(y, a)
        return z)"},
    {"SlicesAreAlongOneAxis", R"(
        a = int64[1] {1}
        b = int64[1] {5}
        c = int64[1] {0}
        y = Slice(x, a, b, c)
        z = Slice(y, a, b, c)
        return z)"},
    {"AnAxisIsCountedFromTheEnd", R"(
        a = int64[1] {1}
        b = int64[1] {5}
        c = int64[1] {0}
        d = int64[1] {-1}
        y = Slice(x, a, b, c)
        z = Slice(y, a, b, d)
        return z)"},
    {"AnotherDomain", "y = my::Transpose(x) perm=[1,0]\nz = Transpose(y) perm=[1,0]\nreturn z"},
};

INSTANTIATE_TEST_SUITE_P(When, MergeLayoutLeavesAlone, testing::ValuesIn(kMergeLayoutLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
