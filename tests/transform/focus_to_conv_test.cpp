// SPDX-License-Identifier: Apache-2.0
#include "transform/focus_to_conv.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/eliminate_dead.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;

/// Focus as exporters write it, rows before columns, in v5.0's order of the quarters.
constexpr const char* kFocus = R"(
    input x float32[n,3,8,12]
    zero = int64[1] {0}
    one = int64[1] {1}
    far = int64[1] {9223372036854775807}
    rows = int64[1] {2}
    columns = int64[1] {3}
    two = int64[1] {2}
    top = Slice(x, zero, far, rows, two)
    low = Slice(x, one, far, rows, two)
    q0 = Slice(top, zero, far, columns, two)
    q1 = Slice(low, zero, far, columns, two)
    q2 = Slice(top, one, far, columns, two)
    q3 = Slice(low, one, far, columns, two)
)";

Graph with_focus(const std::string& nodes) {
  Graph graph = parse(kFocus + nodes);
  graph.constants["weight"] = noise({4, 12, 3, 3});
  graph.constants["bias"] = noise({4}, 2);
  std::erase_if(graph.inputs, [](const auto& port) { return port.name != "x"; });
  return graph;
}

TEST(FocusToConv, GivesTheSameSumsByOneConvolution) {
  Graph graph = with_focus(R"(
      y = Concat(q0, q1, q2, q3) axis=1
      z = Conv(y, weight, bias) pads=[1,1,1,1] kernel_shape=[3,3]
      return z)");
  const Graph before = graph;

  EXPECT_EQ(focus_to_conv(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(to_text(graph),
            "input x float32[n,3,8,12]\n"
            "z = Conv(x, weight, bias) kernel_shape=[6,6] pads=[2,2,2,2] strides=[2,2]\n"
            "return z\n");
  expect_same_outputs(graph, before, {{"n", 2}});
  EXPECT_EQ(focus_to_conv(graph), 0);
}

TEST(FocusToConv, FollowsTheOrderOfTheQuarters) {
  Graph graph = with_focus(R"(
      y = Concat(q3, q0, q2, q1) axis=1
      z = Conv(y, weight) strides=[2,1] pads=[0,1,2,0]
      return z)");
  const Graph before = graph;

  EXPECT_EQ(focus_to_conv(graph), 1);
  expect_same_outputs(graph, before, {{"n", 1}});
}

TEST(FocusToConv, TakesQuartersByOneSliceEach) {
  Graph graph = with_focus(R"(
      corner = int64[2] {1,1}
      ends = int64[2] {9223372036854775807,9223372036854775807}
      image = int64[2] {2,3}
      twos = int64[2] {2,2}
      c3 = Slice(x, corner, ends, image, twos)
      y = Concat(q0, q1, q2, c3) axis=1
      z = Conv(y, weight)
      return z)");
  const Graph before = graph;

  EXPECT_EQ(focus_to_conv(graph), 1);
  expect_same_outputs(graph, before, {{"n", 1}});
}

class FocusToConvLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(FocusToConvLeavesAlone, TheGraph) {
  Graph graph = with_focus(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(focus_to_conv(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kFocusToConvLeaves[] = {
    {"AQuarterStandsTwice", "y = Concat(q0, q1, q2, q0) axis=1\nz = Conv(y, weight)\nreturn z"},
    {"AQuarterIsOfAnotherImage", R"(
        v = Relu(x)
        half = Slice(v, one, far, rows, two)
        other = Slice(half, one, far, columns, two)
        y = Concat(q0, q1, q2, other) axis=1
        z = Conv(y, weight)
        return z)"},
    {"TheConcatHasAnotherReader", R"(
        y = Concat(q0, q1, q2, q3) axis=1
        z = Conv(y, weight)
        return z, y)"},
    {"TheConvHasGroups", R"(
        w = float32[4,3,1,1] {1}
        y = Concat(q0, q1, q2, q3) axis=1
        z = Conv(y, w) group=4
        return z)"},
    {"TheConvIsDilated",
     "y = Concat(q0, q1, q2, q3) axis=1\nz = Conv(y, weight) dilations=[2,2]\nreturn z"},
    {"TheConcatIsAlongRows", R"(
        w = float32[4,3,1,1] {1}
        y = Concat(q0, q1, q2, q3) axis=2
        z = Conv(y, w)
        return z)"},
};

INSTANTIATE_TEST_SUITE_P(When, FocusToConvLeavesAlone, testing::ValuesIn(kFocusToConvLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
