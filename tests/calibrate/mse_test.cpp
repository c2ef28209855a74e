// SPDX-License-Identifier: Apache-2.0
#include "calibrate/mse.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/samples.h"

namespace yoloq::calibrate {
namespace {

TEST(MeanSquaredError, AddsRoundingAndClippingOfEveryCode) {
  const auto statistics = test::statistics_of({-2.4f, -1.3f, -0.4f, 0.2f, 0.7f, 1.8f});
  constexpr double kBinWidth = 1.0 / 1024;  // where in its bin a value lies is not kept

  // Codes at zero point 2: -2 -1 0 1; at zero point 0: 0 1 2 3.
  EXPECT_NEAR(mean_squared_error(statistics, 1.0, 2, 2),
              (0.16 + 0.09 + 0.16 + 0.04 + 0.09 + 0.64) / 6, 2 * kBinWidth);
  EXPECT_NEAR(mean_squared_error(statistics, 1.0, 0, 2),
              (5.76 + 1.69 + 0.16 + 0.04 + 0.09 + 0.04) / 6, 2 * kBinWidth);
  EXPECT_NEAR(mean_squared_error(statistics, 2.0, 3, 2),  // -6 -4 -2 0
              (0.16 + 0.49 + 0.16 + 0.04 + 0.49 + 3.24) / 6, 2 * kBinWidth);
}

TEST(MeanSquaredError, IsThatOfRoundingWhereNothingIsClipped) {
  std::vector<float> values;
  for (int i = 0; i <= 100'000; ++i) values.push_back(static_cast<float>(i) * 1e-5f);
  const auto statistics = test::statistics_of(values);

  const double scale = 1.0 / 255;

  EXPECT_NEAR(mean_squared_error(statistics, scale, 0, 8), scale * scale / 12,
              1e-3 * scale * scale);
}

/// The two samples whose best range clips little and much.
TEST(MseRange, CannotBeImprovedByASmallStep) {
  for (const int sample : {0, 2}) {
    const auto statistics = test::statistics_of(test::kSamples[sample].values());
    const double scale = static_cast<double>(mse_range(statistics, {}).high) / 127;
    const double least = mean_squared_error(statistics, scale, 128, 8);
    constexpr double kFlat = 1e-4;  // one step of the search, 0.07 %, changes less than this
    for (double change = -0.04; change <= 0.04; change += 0.002) {
      EXPECT_GE(mean_squared_error(statistics, scale * (1 + change), 128, 8), least * (1 - kFlat))
          << test::kSamples[sample].name << " " << change;
    }
  }
}

TEST(MseRange, GivesAnAsymmetricRangeWhoseEndsAndZeroAreCodes) {
  const auto statistics = test::statistics_of(test::kSamples[0].values());

  const Range range = mse_range(statistics, {.scheme = Scheme::asymmetric});

  const double scale = (static_cast<double>(range.high) - static_cast<double>(range.low)) / 255;
  const double zero_point = -static_cast<double>(range.low) / scale;
  constexpr double kRounding = 1e-4;  // of the ends to float, in codes
  EXPECT_NEAR(zero_point, std::round(zero_point), kRounding);
}

TEST(MseRange, LeavesValuesUnclippedThatHaveTheirOwnCodes) {
  const auto statistics = test::statistics_of({0.0f, 1.0f, 254.0f, 255.0f});

  const Range range = mse_range(statistics, {.scheme = Scheme::asymmetric});

  EXPECT_NEAR(range.high, 255.0f, 0.5f);
  EXPECT_EQ(range.low, 0.0f);
}

}  // namespace
}  // namespace yoloq::calibrate
