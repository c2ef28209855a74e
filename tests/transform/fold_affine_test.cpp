// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_affine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;

constexpr const char* kAffineInputs = R"(
    input x float32[1,1,2,2]
    weight = float32[2,1,1,1] {1,2}
    bias = float32[2] {5,6}
    factor = float32[1,2,1,1] {3,4}
    term = float32[2,1,1] {7,8}
    half = float32[] {0.5}
)";

Graph with_affine_inputs(const std::string& nodes) { return parse(kAffineInputs + nodes); }

TEST(FoldAffine, ScalesWeightAndBias) {
  Graph graph = with_affine_inputs("y = Conv(x, weight, bias)\nz = Mul(y, factor)\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 1);

  EXPECT_EQ(to_text(graph), "input x float32[1,1,2,2]\nz = Conv(x, weight, bias)\nreturn z\n");
  EXPECT_THAT(graph.constant("weight")->values<float>(), ElementsAre(1 * 3, 2 * 4));
  EXPECT_THAT(graph.constant("bias")->values<float>(), ElementsAre(5 * 3, 6 * 4));
  expect_same_outputs(graph, before);
  EXPECT_EQ(fold_affine(graph), 0);
}

TEST(FoldAffine, AddsToTheBias) {
  Graph graph = with_affine_inputs("y = Conv(x, weight, bias)\nz = Add(term, y)\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 1);

  EXPECT_THAT(graph.constant("bias")->values<float>(), ElementsAre(5 + 7, 6 + 8));
  expect_same_outputs(graph, before);
}

TEST(FoldAffine, MakesABiasOfATerm) {
  Graph graph = with_affine_inputs("y = Conv(x, weight) @head\nz = Add(y, half)\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 1);

  EXPECT_THAT(graph.constant("head.bias")->values<float>(), ElementsAre(0.5f, 0.5f));
  expect_same_outputs(graph, before);
}

TEST(FoldAffine, FoldsOneBehindTheOther) {
  Graph graph =
      with_affine_inputs("y = Conv(x, weight)\nz = Mul(y, half)\nt = Add(z, term)\nreturn t");
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 2);
  expect_same_outputs(graph, before);
}

TEST(FoldAffine, LeavesASharedWeightToItsOtherReader) {
  Graph graph =
      with_affine_inputs("y = Conv(x, weight)\nz = Mul(y, half)\nt = Conv(x, weight)\nreturn z, t");
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 1);
  expect_same_outputs(graph, before);
}

class FoldAffineLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(FoldAffineLeavesAlone, TheGraph) {
  Graph graph = with_affine_inputs(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(fold_affine(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kFoldAffineLeaves[] = {
    {"ConvOutputIsReturned", "y = Conv(x, weight)\nz = Mul(y, half)\nreturn y, z"},
    {"ConvOutputHasAnotherReader",
     "y = Conv(x, weight)\nz = Mul(y, half)\ns = Neg(y)\nreturn z, s"},
    {"ItIsSiLU", "y = Conv(x, weight)\ns = Sigmoid(y)\nz = Mul(y, s)\nreturn z"},
    {"TheFactorIsComputed", "y = Conv(x, weight)\nz = Mul(y, computed)\nreturn z"},
    {"TheFactorDiffersAlongARow",
     "f = float32[2] {1,2}\ny = Conv(x, weight)\nz = Mul(y, f)\nreturn z"},
    {"TheFactorWidensTheShape",
     "f = float32[1,1,1,1,2] {1,2}\ny = Conv(x, weight)\nz = Mul(y, f)\nreturn z"},
    {"TheWeightIsQuantized", R"(
        w = int8[2,1,1,1] {3}
        d = DequantizeLinear(w, half)
        y = Conv(x, d)
        z = Mul(y, half)
        return z)"},
    {"TheBiasIsComputed", "y = Conv(x, weight, computed)\nz = Add(y, half)\nreturn z"},
};

INSTANTIATE_TEST_SUITE_P(When, FoldAffineLeavesAlone, testing::ValuesIn(kFoldAffineLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
