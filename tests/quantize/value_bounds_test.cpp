// SPDX-License-Identifier: Apache-2.0
#include "quantize/value_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"

namespace yoloq::quantize {
namespace {

using graph::Graph;

Interval bound(const char* text, const char* value, const Intervals& seen = {}) {
  return value_bounds(graph::parse(text), seen).at(value);
}

TEST(ValueBounds, AConvAddsWhatEachWeightCanMakeOfAnImage) {
  const Interval y = bound(R"(
      input x float32[1,2,4,4]
      w = float32[2,2,1,1] {3.0,-2.0, 1.0,1.0}
      b = float32[2] {10.0,0.0}
      y = Conv(x, w, b) @conv
      return y)",
                           "y");

  EXPECT_EQ(y, (Interval{.low = 0, .high = 10 + 3}));  // 10 - 2 is above the 0 of channel 1.
}

TEST(ValueBounds, AQuantizerBoundsWhatIsBehindIt) {
  const char* text = R"(
      input x float32[1,1,2,2]
      big = float32[1,1,1,1] {1000.0}
      one = float32[1,1,1,1] {1.0}
      scale = float32[] {0.5}
      zero = int8[] {0}
      y = Conv(x, big) @a
      q = QuantizeLinear(y, scale, zero)
      d = DequantizeLinear(q, scale, zero)
      z = Conv(d, one) @b
      return z)";

  EXPECT_EQ(bound(text, "y"), (Interval{.low = 0, .high = 1000}));
  EXPECT_EQ(bound(text, "d"), (Interval{.low = 0, .high = 127 * 0.5}));
  EXPECT_EQ(bound(text, "z"), (Interval{.low = 0, .high = 127 * 0.5}));
}

TEST(ValueBounds, CodesOfAWeightCountAsWhatTheyStandFor) {
  const Interval y = bound(R"(
      input x float32[1,1,2,2]
      codes = int8[2,1,1,1] {100,-50}
      scales = float32[2] {0.5,0.25}
      zeros = int8[2] {0,0}
      w = DequantizeLinear(codes, scales, zeros) axis=0
      y = Conv(x, w) @conv
      return y)",
                           "y");

  EXPECT_EQ(y, (Interval{.low = -50 * 0.25, .high = 100 * 0.5}));
}

TEST(ValueBounds, WhatWasSeenNarrowsThem) {
  const char* text = R"(
      input x float32[1,1,2,2]
      big = float32[1,1,1,1] {1000.0}
      y = Conv(x, big) @a
      z = Conv(y, big) @b
      return z)";

  EXPECT_EQ(bound(text, "z"), (Interval{.low = 0, .high = 1e6}));
  EXPECT_EQ(bound(text, "z", {{"y", {-5, 20}}}), (Interval{.low = 0, .high = 20000}));
}

TEST(ValueBounds, ClipsAreTheLimitsWhereTheseAreKnown) {
  const char* text = R"(
      input x float32[1,1,2,2]
      zero = float32[] {0}
      six = float32[] {6}
      w = float32[1,1,1,1] {-8.0}
      y = Conv(x, w) @conv
      both = Clip(y, zero, six)
      below = Clip(y, , six)
      old = Clip(y) min=-2.0
      computed = ReduceMax(x)
      open = Clip(y, zero, computed)
      hard = HardSigmoid(y)
      return both, below, old, open, hard)";

  EXPECT_EQ(bound(text, "both"), (Interval{0, 0}));
  EXPECT_EQ(bound(text, "below"), (Interval{-8, 0}));
  EXPECT_EQ(bound(text, "old"), (Interval{-2, 0}));
  EXPECT_EQ(bound(text, "open"), Interval{});
  EXPECT_EQ(bound(text, "hard"), (Interval{0, 1}));
  EXPECT_EQ(bound(text, "both", {{"y", {-1, 99}}}), (Interval{0, 0}));
}

TEST(ValueBounds, OfAClipAreItsLimitsIfItsInputIsUnknown) {
  const char* text = R"(
      zero = float32[] {0}
      six = float32[] {6}
      e = Exp(x)
      y = Clip(e, zero, six)
      return y)";

  EXPECT_EQ(bound(text, "y"), (Interval{0, 6}));
}

TEST(ValueBounds, ActivationsAndSums) {
  const char* text = R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {8.0}
      y = Conv(x, w) @conv
      s = Sigmoid(y)
      silu = Mul(s, y)
      sum = Add(silu, y)
      less = Sub(silu, y)
      all = Concat(s, less) axis=1
      return all, sum)";

  EXPECT_EQ(bound(text, "s"), (Interval{0, 1}));
  EXPECT_NEAR(bound(text, "silu").low, -0.2785, 1e-4);
  EXPECT_EQ(bound(text, "silu").high, 8);
  EXPECT_EQ(bound(text, "sum").high, 16);
  EXPECT_NEAR(bound(text, "less").low, -8.2785, 1e-4);
  EXPECT_EQ(bound(text, "all").high, 8);
}

TEST(ValueBounds, NothingIsKnownBehindAnOperatorWithoutARule) {
  const Interval y = bound(R"(
      input x float32[1,1,2,2]
      y = Exp(x)
      return y)",
                           "y");

  EXPECT_FALSE(std::isfinite(y.reach()));
}

}  // namespace
}  // namespace yoloq::quantize
