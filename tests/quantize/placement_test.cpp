// SPDX-License-Identifier: Apache-2.0
#include "quantize/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::quantize {
namespace {

using graph::Graph;
using testing::ElementsAre;

/// A residual block between two convolutions, then a Concat with a pooled copy, and a head whose
/// result is decoded by an Add that no convolution depends on.
Graph block() {
  return graph::parse(R"(
      w = float32[1,1,1,1] {1.0}
      g = float32[1] {1.0}
      y0 = Conv(x, w) @c0
      g0 = Sigmoid(y0) @c0/sigmoid
      s0 = Mul(y0, g0) @c0/mul
      y1 = Conv(s0, w) @c1
      g1 = Sigmoid(y1) @c1/sigmoid
      s1 = Mul(y1, g1) @c1/mul
      sum = Add(s0, s1) @add
      pool = MaxPool(sum) kernel_shape=[1,1] @pool
      cat = Concat(sum, pool) axis=1 @cat
      h = Conv(cat, w) @head
      box = Add(h, h) @decode
      return box)");
}

std::string summary(const Graph& graph, const PlacementOptions& options) {
  std::string text;
  for (const Site& site : place(graph, quantizable_layers(graph), options)) {
    text += site.tensor + ":";
    for (const graph::Use& use : site.readers) {
      text += " " + graph[use.node].name + "." + std::to_string(use.input);
    }
    text += (site.shares.empty() ? "" : " as " + site.shares) + "\n";
  }
  return text;
}

TEST(Placement, QuantizesConvInputsAndTheSkippingInputOfAnAdd) {
  EXPECT_EQ(summary(block(), {.residual = Residual::one}),
            "x: c0.0\n"
            "s0: c1.0 add.0\n"
            "cat: head.0\n");
}

TEST(Placement, CanLeaveTheResidualAloneOrTakeBothInputs) {
  EXPECT_EQ(summary(block(), {.residual = Residual::none}),
            "x: c0.0\n"
            "s0: c1.0\n"
            "cat: head.0\n");
  EXPECT_EQ(summary(block(), {.residual = Residual::both}),
            "x: c0.0\n"
            "s0: c1.0 add.0\n"
            "s1: add.1\n"
            "cat: head.0\n");
}

TEST(Placement, EveryOpQuantizesAllUpToTheHead) {
  EXPECT_EQ(summary(block(), {.placement = Placement::every_op}),
            "x: c0.0\n"
            "y0: c0/sigmoid.0 c0/mul.0\n"
            "g0: c0/mul.1\n"
            "s0: c1.0 add.0\n"
            "y1: c1/sigmoid.0 c1/mul.0\n"
            "g1: c1/mul.1\n"
            "s1: add.1\n"
            "sum: pool.0 cat.0\n"
            "pool: cat.1 as sum\n"
            "cat: head.0\n");
}

TEST(Placement, FloatLayersGoOnReadingFloat) {
  const Graph graph = block();
  auto layers = quantizable_layers(graph);
  layers.erase(layers.begin());

  for (const Site& site : place(graph, layers, {})) EXPECT_NE(site.tensor, "x");
}

TEST(Placement, NothingToQuantizeMeansNoSites) {
  const Graph graph = block();

  EXPECT_TRUE(place(graph, {}, {.placement = Placement::every_op}).empty());
}

TEST(Placement, ResidualModesHaveNames) {
  EXPECT_EQ(residual_named("both"), Residual::both);
  EXPECT_EQ(name_of(Residual::one), "one");
  EXPECT_THROW(residual_named("all"), Error);
}

struct Low {
  const char* tensor;
  std::optional<float> expected;
};

void PrintTo(const Low& row, std::ostream* out) { *out << row.tensor; }

class KnownLow : public testing::TestWithParam<Low> {};

TEST_P(KnownLow, FollowsTheOperators) {
  EXPECT_EQ(known_low(block(), GetParam().tensor), GetParam().expected);
}

constexpr float kSilu = -0.27846455f;
constexpr Low kLows[] = {{"x", std::nullopt}, {"y0", std::nullopt}, {"g0", 0.0f},
                         {"s0", kSilu},       {"sum", 2 * kSilu},   {"cat", 2 * kSilu}};

INSTANTIATE_TEST_SUITE_P(Of, KnownLow, testing::ValuesIn(kLows),
                         [](const auto& row) { return std::string(row.param.tensor); });

TEST(KnownLowOfSilu, IsNotAboveAnyValueOfTheFunction) {
  for (int i = -20000; i < 0; ++i) {
    const double x = i / 1e4;
    ASSERT_GE(x / (1 + std::exp(-x)), static_cast<double>(kSilu));
  }
}

}  // namespace
}  // namespace yoloq::quantize
