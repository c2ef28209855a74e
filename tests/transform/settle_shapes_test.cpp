// SPDX-License-Identifier: Apache-2.0
#include "transform/settle_shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/eliminate_dead.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;

constexpr const char* kConstants = R"(
    zero = int64[] {0}
    two = int64[] {2}
    axes = int64[1] {0}
)";

Graph with_constants(const std::string& text) { return parse(kConstants + text); }

TEST(SettleShapes, TurnsAChainIntoAConstantTarget) {
  Graph graph = with_constants(R"(
      input x float32[batch,6,h]
      rest = int64[2] {3,-1}
      s = Shape(x)
      n = Gather(s, zero)
      n1 = Unsqueeze(n, axes)
      target = Concat(n1, rest) axis=0
      y = Reshape(x, target)
      return y)");
  const Graph before = graph;

  EXPECT_EQ(settle_shapes(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(to_text(graph), "input x float32[batch,6,h]\ny = Reshape(x, y.shape)\nreturn y\n");
  EXPECT_THAT(graph.constant("y.shape")->values<std::int64_t>(), ElementsAre(0, 3, -1));
  expect_same_outputs(graph, before, {{"batch", 2}, {"h", 5}});
  EXPECT_EQ(settle_shapes(graph), 0);
}

TEST(SettleShapes, LetsEqualSizesBeComputedOnce) {
  Graph graph = with_constants(R"(
      input x float32[batch,2,h]
      y = Sigmoid(x)
      s = Shape(x)
      t = Shape(y)
      a = Gather(s, zero)
      b = Gather(t, zero)
      c = Gather(t, two)
      d = Add(a, c)
      e = Mul(b, d)
      return e)");
  const Graph before = graph;

  EXPECT_EQ(settle_shapes(graph), 2);  // t is s, and b is a.

  EXPECT_EQ(to_text(graph),
            "input x float32[batch,2,h]\n"
            "y = Sigmoid(x)\n"
            "s = Shape(x)\n"
            "a = Gather(s, zero)\n"
            "c = Gather(s, two)\n"
            "d = Add(a, c)\n"
            "e = Mul(a, d)\n"
            "return e\n");
  expect_same_outputs(graph, before, {{"batch", 2}, {"h", 5}});
  EXPECT_EQ(settle_shapes(graph), 0);
}

TEST(SettleShapes, ResizesByScalesWhereSizesAreMultiples) {
  Graph graph = with_constants(R"(
      input x float32[1,2,h,w]
      first = int64[1] {2}
      last = int64[1] {4}
      double = float32[2] {2,2}
      head = int64[2] {1,2}
      s = Shape(x)
      hw = Slice(s, first, last, axes)
      f = Cast(hw) to=1
      g = Mul(f, double)
      i = Floor(g)
      j = Cast(i) to=7
      sizes = Concat(head, j) axis=0
      y = Resize(x, , , sizes) mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor
      return y)");
  const Graph before = graph;

  EXPECT_GE(settle_shapes(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(graph.node_count(), 1u);
  EXPECT_THAT(graph.constant("y.scales")->values<float>(), ElementsAre(1, 1, 2, 2));
  expect_same_outputs(graph, before, {{"h", 3}, {"w", 5}});
}

class SettleShapesLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(SettleShapesLeavesAlone, TheGraph) {
  Graph graph = with_constants(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(settle_shapes(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kSettleShapesLeaves[] = {
    {"TwoSizesAreOpen", R"(
        input x float32[a,b,6]
        input w float32[c,d]
        s = Shape(w)
        y = Reshape(x, s)
        return y)"},
    {"TheTargetMovesTwoSizesToOtherAxes", R"(
        input x float32[6,h,w]
        s = Shape(x)
        order = int64[3] {1,2,0}
        t = Gather(s, order)
        y = Reshape(x, t)
        return y)"},
    {"NothingIsKnownOfTheInput", "s = Shape(x)\ny = Reshape(w, s)\nreturn y"},
    {"SizesOfDifferentAxes", R"(
        input x float32[h,w]
        one = int64[] {1}
        s = Shape(x)
        a = Gather(s, zero)
        b = Gather(s, one)
        c = Sub(a, b)
        return c)"},
    {"OneHasAnotherType", R"(
        input x float32[h,w]
        s = Shape(x)
        a = Gather(s, zero)
        b = Cast(a) to=1
        return a, b)"},
    {"OneIsAListOfTheOther", R"(
        input x float32[h,w]
        s = Shape(x)
        a = Gather(s, zero)
        b = Unsqueeze(a, axes)
        return a, b)"},
    {"SizesAreNoMultiples", R"(
        input x float32[1,1,h,w]
        input v float32[1,1,p,q]
        s = Shape(v)
        y = Resize(x, , , s) mode=nearest
        return y)"},
};

INSTANTIATE_TEST_SUITE_P(When, SettleShapesLeavesAlone, testing::ValuesIn(kSettleShapesLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
