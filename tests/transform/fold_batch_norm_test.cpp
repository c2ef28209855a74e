// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_batch_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;

/// Two output channels, one input channel, 1x1 kernels; gamma / sqrt(var + 1) = {2, 1}.
constexpr const char* kParameters = R"(
    input x float32[1,1,2,2]
    weight = float32[2,1,1,1] {1,2}
    bias = float32[2] {5,6}
    gamma = float32[2] {4,3}
    beta = float32[2] {10,20}
    mean = float32[2] {1,2}
    var = float32[2] {3,8}
)";

Graph with_parameters(const std::string& nodes) { return parse(kParameters + nodes); }

TEST(FoldBatchNorm, ScalesTheWeightsAndShiftsTheBias) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var) epsilon=1
      return z)");

  EXPECT_EQ(fold_batch_norm(graph), 1);

  EXPECT_EQ(to_text(graph),
            "input x float32[1,1,2,2]\n"
            "z = Conv(x, weight, bias)\n"
            "return z\n");
  EXPECT_THAT(graph.constant("weight")->values<float>(), ElementsAre(1 * 2, 2 * 1));
  EXPECT_THAT(graph.constant("bias")->values<float>(),
              ElementsAre((5 - 1) * 2 + 10, (6 - 2) * 1 + 20));
}

TEST(FoldBatchNorm, KeepsOfTheParametersThoseThatOthersRead) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var)
      t = Mul(x, gamma)
      return z, t, beta)");

  EXPECT_EQ(fold_batch_norm(graph), 1);

  EXPECT_NE(graph.constant("gamma"), nullptr);
  EXPECT_NE(graph.constant("beta"), nullptr);
  EXPECT_EQ(graph.constant("mean"), nullptr);
  EXPECT_EQ(graph.constant("var"), nullptr);
}

TEST(FoldBatchNorm, GivesABiasToAConvWithoutOne) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight) @model.0.conv
      z = BatchNormalization(y, gamma, beta, mean, var) @model.0.bn
      return z)");
  const Graph before = graph;

  EXPECT_EQ(fold_batch_norm(graph), 1);

  EXPECT_EQ(to_text(graph),
            "input x float32[1,1,2,2]\n"
            "z = Conv(x, weight, model.0.conv.bias) @model.0.conv\n"
            "return z\n");
  expect_same_outputs(graph, before);
}

TEST(FoldBatchNorm, KeepsTheDefaultEpsilon) {
  Graph graph = with_parameters(R"(
      tiny = float32[2] {0}
      y = Conv(x, weight)
      z = BatchNormalization(y, gamma, beta, mean, tiny)
      return z)");
  const Graph before = graph;

  fold_batch_norm(graph);

  expect_same_outputs(graph, before);
}

TEST(FoldBatchNorm, LeavesASharedWeightToItsOtherReader) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var)
      t = Conv(x, weight)
      return z, t)");
  const Graph before = graph;

  EXPECT_EQ(fold_batch_norm(graph), 1);

  EXPECT_EQ(*graph.constant("weight"), *before.constant("weight"));
  expect_same_outputs(graph, before);
}

TEST(FoldBatchNorm, FoldsTwoInARow) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var)
      t = BatchNormalization(z, beta, gamma, mean, var)
      return t)");
  const Graph before = graph;

  EXPECT_EQ(fold_batch_norm(graph), 2);
  expect_same_outputs(graph, before);
}

TEST(FoldBatchNorm, FindsNothingOnASecondRun) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var)
      return z)");

  fold_batch_norm(graph);

  EXPECT_EQ(fold_batch_norm(graph), 0);
}

TEST(FoldBatchNorm, RejectsParametersOfTheWrongLength) {
  Graph graph = with_parameters(R"(
      y = Conv(x, weight, bias)
      z = BatchNormalization(y, gamma, beta, mean, var)
      return z)");
  graph.constants["gamma"] = Tensor::list<float>({1, 1, 1});

  EXPECT_THROW(fold_batch_norm(graph), Error);
}

class FoldBatchNormLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(FoldBatchNormLeavesAlone, TheGraph) {
  Graph graph = with_parameters(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(fold_batch_norm(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kFoldBatchNormLeaves[] = {
    {"ConvOutputIsAlsoAGraphOutput", R"(
        y = Conv(x, weight, bias)
        z = BatchNormalization(y, gamma, beta, mean, var)
        return y, z)"},
    {"ConvOutputHasAnotherReader", R"(
        y = Conv(x, weight, bias)
        z = BatchNormalization(y, gamma, beta, mean, var)
        s = Sigmoid(y)
        return z, s)"},
    {"WeightIsComputed", R"(
        y = Conv(x, computed, bias)
        z = BatchNormalization(y, gamma, beta, mean, var)
        return z)"},
    {"MeanIsComputed", R"(
        y = Conv(x, weight, bias)
        z = BatchNormalization(y, gamma, beta, computed, var)
        return z)"},
    {"ProducerIsNotAConv", R"(
        y = MaxPool(x) kernel_shape=[1,1]
        z = BatchNormalization(y, gamma, beta, mean, var)
        return z)"},
    {"StatisticsAreOutputs", R"(
        y = Conv(x, weight, bias)
        z, m, v = BatchNormalization(y, gamma, beta, mean, var)
        return z, m, v)"},
    {"ItIsStillTraining", R"(
        y = Conv(x, weight, bias)
        z = BatchNormalization(y, gamma, beta, mean, var) training_mode=1
        return z)"},
};

INSTANTIATE_TEST_SUITE_P(When, FoldBatchNormLeavesAlone, testing::ValuesIn(kFoldBatchNormLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
