// SPDX-License-Identifier: Apache-2.0
#include "quantize/scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace yoloq::quantize {
namespace {

TEST(Scale, SymmetricMapsTheLargerEndToCode127) {
  const Quantizer q = symmetric_quantizer({.low = -0.25f, .high = 2.54f});

  EXPECT_EQ(q, (Quantizer{DType::i8, 2.54f / 127, 0}));
  EXPECT_EQ(quantize_value(2.54f, q), 127);
  EXPECT_EQ(quantize_value(-99.0f, q), -128);
}

TEST(Scale, AsymmetricUsesAllCodesAndKeepsZeroExact) {
  const Quantizer q = asymmetric_quantizer({.low = -0.5f, .high = 2.05f});

  EXPECT_EQ(q.dtype, DType::u8);
  EXPECT_FLOAT_EQ(q.scale, 0.01f);
  EXPECT_EQ(q.zero_point, 50);
  EXPECT_EQ(fake_quantize(0.0f, q), 0.0f);
  EXPECT_EQ(quantize_value(-0.5f, q), 0);
  EXPECT_EQ(quantize_value(99.0f, q), 255);
}

TEST(Scale, AnImageOfBytesIsHeldExactly) {
  const Quantizer q = asymmetric_quantizer({.low = 0.0f, .high = 1.0f});

  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(quantize_value(static_cast<float>(byte) / 255.0f, q), byte);
  }
}

TEST(Scale, RoundsTiesToEven) {
  const Quantizer q{DType::i8, 0.5f, 0};

  EXPECT_EQ(quantize_value(0.25f, q), 0);   // 0.5
  EXPECT_EQ(quantize_value(0.75f, q), 2);   // 1.5
  EXPECT_EQ(quantize_value(1.25f, q), 2);   // 2.5
  EXPECT_EQ(quantize_value(-0.25f, q), 0);  // -0.5
}

TEST(Scale, ATensorOfZerosHasAUsableScale) {
  EXPECT_EQ(symmetric_quantizer({0, 0}).scale, 1.0f);
  EXPECT_EQ(asymmetric_quantizer({0, 0}).scale, 1.0f);
}

TEST(Scale, TheSmallestRangesDoNotMakeAScaleOfZero) {
  const float tiny = std::numeric_limits<float>::denorm_min();

  EXPECT_TRUE(std::isnormal(symmetric_quantizer({0, tiny}).scale));
  EXPECT_TRUE(std::isnormal(asymmetric_quantizer({0, tiny}).scale));
}

}  // namespace
}  // namespace yoloq::quantize
