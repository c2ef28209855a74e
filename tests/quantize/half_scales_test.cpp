// SPDX-License-Identifier: Apache-2.0
#include "quantize/half_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/half.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;

WeightPlan weight_of(std::vector<float> scales, std::vector<std::int8_t> codes) {
  const auto channels = static_cast<std::int64_t>(scales.size());
  return {.tensor = "w",
          .layer = "conv",
          .axis = 0,
          .scales = std::move(scales),
          .codes = Tensor::of({channels, std::ssize(codes) / channels, 1, 1}, codes)};
}

TEST(NearestHalf, IsAFloat16ThatIsNeitherZeroNorInfinite) {
  EXPECT_EQ(nearest_half(0.25f), 0.25f);
  EXPECT_EQ(nearest_half(1.0f + 0x1p-12f), 1.0f);  // Float16 has ten digits behind the first.
  EXPECT_EQ(nearest_half(1e-30f), 0x1p-24f);
  EXPECT_EQ(nearest_half(1e30f), 65504.0f);
}

TEST(NearestHalf, HasFewDigitsBelowTheSmallestNormal) {
  EXPECT_EQ(nearest_half(100.4f * 0x1p-24f), 100 * 0x1p-24f);
}

TEST(RoundScalesToHalf, MovesEachScaleToAFloat16) {
  Plan plan{.activations = {{.tensor = "x", .quantizer = {DType::i8, 0.1f, 0}}},
            .weights = {weight_of({0.3f}, {5})}};

  round_scales_to_half(plan);

  EXPECT_EQ(plan.activations[0].quantizer.scale, half_to_float(float_to_half(0.1f)));
  EXPECT_EQ(plan.weights[0].scales[0], half_to_float(float_to_half(0.3f)));
}

TEST(RoundScalesToHalf, LeavesCodesWhereTheScaleHardlyMoves) {
  WeightPlan weight = weight_of({0.3f}, {127, -127, 1});

  round_scales_to_half(weight);

  EXPECT_THAT(weight.codes->values<std::int8_t>(), ElementsAre(127, -127, 1));
}

TEST(RoundScalesToHalf, MakesCodesForAScaleThatMovesFar) {
  // 1.5 * 2^-24 lies between two float16 values and goes to the even one, 2 * 2^-24.
  WeightPlan weight = weight_of({1.5f * 0x1p-24f, 0x1p-30f}, {100, 4, 100, 4});

  round_scales_to_half(weight);

  EXPECT_THAT(weight.scales, ElementsAre(2 * 0x1p-24f, 0x1p-24f));
  EXPECT_THAT(weight.codes->values<std::int8_t>(),
              ElementsAre(100 * 1.5 / 2, 4 * 1.5 / 2, 2 /* 100 / 64 */, 0));
}

TEST(RoundScalesToHalf, KeepsCodesWithinThoseOfTheLayer) {
  // 1.4 * 2^-24 goes to 2^-24, for which 64 would become 90.
  WeightPlan weight = weight_of({1.4f * 0x1p-24f}, {64, -64, 10});
  weight.top_code = kReducedTopCode;

  round_scales_to_half(weight);

  EXPECT_THAT(weight.codes->values<std::int8_t>(), ElementsAre(64, -64, 14));
}

TEST(SubnormalScales, CountsThoseBelowTheSmallestNormal) {
  const Plan plan{.weights = {weight_of({0x1p-14f, 0x1p-15f, 1.0f}, {1, 1, 1})}};

  EXPECT_EQ(subnormal_scales(plan), 1);
}

}  // namespace
}  // namespace yoloq::quantize
