// SPDX-License-Identifier: Apache-2.0
#include "transform/fuse_pad.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/eliminate_dead.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

constexpr const char* kPadInputs = R"(
    input x float32[1,1,5,6]
    weight = float32[1,1,3,3] {0,1,2,3,4,5,6,7,8}
    pads = int64[8] {0,0,1,2,0,0,3,4}
    zero = float32[] {0}
    one = float32[] {1}
)";

Graph with_pad_inputs(const std::string& nodes) { return parse(kPadInputs + nodes); }

TEST(FusePad, AddsThePadsToThoseOfTheConv) {
  Graph graph =
      with_pad_inputs("y = Pad(x, pads, zero)\nz = Conv(y, weight) pads=[1,1,1,1]\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(fuse_pad(graph), 1);

  eliminate_dead(graph);
  EXPECT_EQ(to_text(graph),
            "input x float32[1,1,5,6]\nz = Conv(x, weight) pads=[2,3,4,5]\nreturn z\n");
  expect_same_outputs(graph, before);
  EXPECT_EQ(fuse_pad(graph), 0);
}

TEST(FusePad, TakesTheAttributeOfOldFiles) {
  Graph graph = with_pad_inputs("y = Pad(x) pads=[0,0,1,1,0,0,1,1]\nz = Conv(y, weight)\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(fuse_pad(graph), 1);
  expect_same_outputs(graph, before);
}

class FusePadLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(FusePadLeavesAlone, TheGraph) {
  Graph graph = with_pad_inputs(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(fuse_pad(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kFusePadLeaves[] = {
    {"ItFillsWithOnes", "y = Pad(x, pads, one)\nz = Conv(y, weight)\nreturn z"},
    {"TheFillIsComputed", "y = Pad(x, pads, fill)\nz = Conv(y, weight)\nreturn z"},
    {"ItReflects", "y = Pad(x, pads) mode=reflect\nz = Conv(y, weight)\nreturn z"},
    {"ItPadsChannels",
     "c = int64[8] {0,1,0,0,0,0,0,0}\ny = Pad(x, c)\nz = Conv(y, weight)\nreturn z"},
    {"ItCutsOff", "c = int64[8] {0,0,-1,0,0,0,0,0}\ny = Pad(x, c)\nz = Conv(y, weight)\nreturn z"},
    {"TheConvPadsByItself", "y = Pad(x, pads)\nz = Conv(y, weight) auto_pad=SAME_UPPER\nreturn z"},
    {"TheReaderIsAPool", "y = Pad(x, pads)\nz = MaxPool(y) kernel_shape=[2,2]\nreturn z"},
    {"ThePadsAreComputed", "y = Pad(x, computed)\nz = Conv(y, weight)\nreturn z"},
};

INSTANTIATE_TEST_SUITE_P(When, FusePadLeavesAlone, testing::ValuesIn(kFusePadLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
