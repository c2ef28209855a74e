// SPDX-License-Identifier: Apache-2.0
#include "graph/summary.h"

#include <gtest/gtest.h>

#include "graph/text.h"

namespace yoloq::graph {
namespace {

TEST(Summary, CountsParametersAndMultiplyAccumulates) {
  const Graph graph = parse(R"(
      input x float32[2,4,8,6]
      w = float32[6,2,3,3] {1}
      b = float32[6] {1}
      y = Conv(x, w, b) group=2 strides=[2,2] pads=[1,1,1,1] @model.0.conv
      z = Sigmoid(y)
      return z)");

  const Summary summary = summarize(graph);

  ASSERT_EQ(summary.nodes.size(), 2u);
  EXPECT_EQ(summary.nodes[0].name, "model.0.conv");
  EXPECT_EQ(summary.nodes[0].op, "Conv");
  EXPECT_EQ(fixed_shape(*summary.nodes[0].output.dims), (Shape{2, 6, 4, 3}));
  EXPECT_EQ(summary.nodes[0].parameters, 6u * 2 * 3 * 3 + 6);
  EXPECT_EQ(summary.nodes[0].macs, 2u * 6 * 4 * 3 * (2 * 3 * 3));
  EXPECT_EQ(summary.nodes[1].name, "z");
  EXPECT_EQ(summary.nodes[1].macs, 0u);
  EXPECT_EQ(summary.parameters, summary.nodes[0].parameters);
  EXPECT_EQ(summary.flops, 2 * *summary.nodes[0].macs);
}

TEST(Summary, CountsASharedWeightOnceInAll) {
  const Graph graph = parse(R"(
      input x float32[1,2,4,4]
      w = float32[2,2,1,1] {1}
      y = Conv(x, w)
      z = Conv(y, w)
      return z)");

  const Summary summary = summarize(graph);

  EXPECT_EQ(summary.nodes[1].parameters, 4u);
  EXPECT_EQ(summary.parameters, 4u);
}

TEST(Summary, FindsTheWeightBehindItsCodes) {
  const Graph graph = parse(R"(
      input x float32[1,2,4,4]
      w = int8[3,2,1,1] {1}
      s = float32[] {0.5}
      d = DequantizeLinear(w, s)
      y = Conv(x, d)
      return y)");

  EXPECT_EQ(summarize(graph).parameters, 3u * 2);
}

TEST(Summary, CountsMatrices) {
  const Graph graph = parse(R"(
      input x float32[5,7]
      w = float32[7,3] {1}
      a = MatMul(x, w)
      b = Gemm(x, a) transA=1
      return b)");

  const Summary summary = summarize(graph);

  EXPECT_EQ(summary.nodes[0].macs, 5u * 3 * 7);
  EXPECT_EQ(summary.nodes[1].macs, 7u * 3 * 5);
  EXPECT_EQ(summary.parameters, 7u * 3);
}

TEST(Summary, LeavesOpenWhatDependsOnTheInput) {
  const Graph graph = parse(R"(
      input x float32[1,2,h,w]
      k = float32[3,2,1,1] {1}
      y = Conv(x, k)
      return y)");

  const Summary summary = summarize(graph);

  EXPECT_EQ(summary.nodes[0].macs, std::nullopt);
  EXPECT_EQ(summary.flops, std::nullopt);
  EXPECT_EQ(summary.parameters, 3u * 2);
}

TEST(Summary, CountsNoTargetsAndGrids) {
  const Graph graph = parse(R"(
      input x float32[4,4]
      grid = float32[4,4] {1}
      target = int64[1] {-1}
      y = Add(x, grid)
      z = Reshape(y, target)
      return z)");

  EXPECT_EQ(summarize(graph).parameters, 0u);
}

}  // namespace
}  // namespace yoloq::graph
