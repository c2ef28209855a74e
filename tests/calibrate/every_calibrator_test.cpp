// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>

#include "calibrate/calibrator.h"
#include "calibrate/samples.h"

namespace yoloq::calibrate {

/// Keeps test names free of addresses; gtest prints raw bytes otherwise.
void PrintTo(const CalibratorInfo& info, std::ostream* out) { *out << info.name; }

namespace {

using test::error_of;
using test::kSamples;
using test::statistics_of;
using testing::HasSubstr;

constexpr Scheme kSchemes[] = {Scheme::symmetric, Scheme::asymmetric};

/// What compute_range promises, checked for each row of the registry.
class EveryCalibrator : public testing::TestWithParam<CalibratorInfo> {
 protected:
  Range range(const TensorStatistics& statistics, const RangeOptions& options) const {
    return compute_range(statistics, GetParam().name, options);
  }
  ErrorCode code(const TensorStatistics& statistics, const RangeOptions& options) const {
    return error_of([&] { range(statistics, options); }).code();
  }
};

TEST_P(EveryCalibrator, GivesARangeThatHoldsZeroAndIsNotEmpty) {
  for (const test::Sample& sample : kSamples) {
    const TensorStatistics statistics = statistics_of(sample.values());
    if (statistics.min == 0.0f && statistics.max == 0.0f) continue;
    for (const Scheme scheme : kSchemes) {
      const Range found = range(statistics, {.scheme = scheme});

      EXPECT_LE(found.low, 0.0f) << sample.name;
      EXPECT_GE(found.high, 0.0f) << sample.name;
      EXPECT_LT(found.low, found.high) << sample.name;
    }
  }
}

TEST_P(EveryCalibrator, KeepsASymmetricRangeSymmetricAndWithinTheValues) {
  for (const test::Sample& sample : kSamples) {
    const TensorStatistics statistics = statistics_of(sample.values());

    const Range found = range(statistics, {.scheme = Scheme::symmetric});

    EXPECT_EQ(found.low, -found.high) << sample.name;
    EXPECT_LE(found.high, std::max(-statistics.min, statistics.max)) << sample.name;
  }
}

TEST_P(EveryCalibrator, SpendsNoCodesOnASideWithoutValues) {
  const auto positive = statistics_of({0.0f, 1.0f, 2.0f, 3.0f});
  const auto negative = statistics_of({-1.0f, -2.0f, -3.0f});

  EXPECT_EQ(range(positive, {.scheme = Scheme::asymmetric}).low, 0.0f);
  EXPECT_EQ(range(negative, {.scheme = Scheme::asymmetric}).high, 0.0f);
}

TEST_P(EveryCalibrator, GivesTheEmptyRangeForNothingButZeros) {
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  for (const Scheme scheme : kSchemes) {
    EXPECT_EQ(range(statistics_of({0.0f, -0.0f, 0.0f}), {.scheme = scheme}), Range());
    EXPECT_EQ(range(statistics_of({0.0f, -kLeast, kLeast}), {.scheme = scheme}), Range());
  }
}

TEST_P(EveryCalibrator, CoversEqualValues) {
  for (const float value : {3.7f, -0.3f, 1e-20f, -3e38f}) {
    for (const Scheme scheme : kSchemes) {
      const Range found = range(statistics_of({value, value}), {.scheme = scheme});
      constexpr float kRounding = 1e-6f;

      EXPECT_NEAR((value > 0 ? found.high : found.low) / value, 1.0f, kRounding);
    }
  }
}

TEST_P(EveryCalibrator, HoldsTheLowEndAtAKnownBound) {
  const auto silu = statistics_of(kSamples[0].values());
  const auto below_zero = statistics_of({-0.1f, -0.2f});
  const RangeOptions options = {.scheme = Scheme::asymmetric, .known_low = kSiluMinimum};

  EXPECT_EQ(range(silu, options).low, kSiluMinimum);
  EXPECT_GT(range(silu, options).high, 0.0f);
  EXPECT_EQ(range(below_zero, options), (Range{kSiluMinimum, 0.0f}));
}

TEST_P(EveryCalibrator, RefusesABoundThatTheValuesBreak) {
  const auto statistics = statistics_of({-0.5f, 1.0f});

  const auto with_bound = [&](float bound) {
    return code(statistics, {.scheme = Scheme::asymmetric, .known_low = bound});
  };

  EXPECT_EQ(with_bound(kSiluMinimum), ErrorCode::bad_argument);
  EXPECT_EQ(with_bound(0.5f), ErrorCode::bad_argument);
  EXPECT_EQ(with_bound(NAN), ErrorCode::bad_argument);
}

TEST_P(EveryCalibrator, GivesTheSameRangeForTenBillionTimesTheValues) {
  const auto once = statistics_of(kSamples[0].values());
  const auto often = repeated(repeated(once, 100'000), 100'000);
  for (const Scheme scheme : kSchemes) {
    const Range a = range(once, {.scheme = scheme});
    const Range b = range(often, {.scheme = scheme});
    constexpr float kNextCandidate = 1e-3f;  // equal but for the rounding of sums

    EXPECT_NEAR(a.high, b.high, a.high * kNextCandidate);
    EXPECT_NEAR(a.low, b.low, a.high * kNextCandidate);
  }
}

TEST_P(EveryCalibrator, RefusesToInventARange) { EXPECT_EQ(code({}, {}), ErrorCode::bad_state); }

TEST_P(EveryCalibrator, RefusesOptionsOutOfRange) {
  const auto statistics = statistics_of({1.0f, 2.0f});
  for (const double percentile : {0.0, 50.0, 100.1, -1.0, static_cast<double>(NAN)}) {
    EXPECT_EQ(code(statistics, {.percentile = percentile}), ErrorCode::bad_argument);
  }
  for (const int bits : {1, 0, -8, 17}) {
    EXPECT_EQ(code(statistics, {.bits = bits}), ErrorCode::bad_argument);
  }
}

TEST_P(EveryCalibrator, SaysWhatItIsAndWhereItComesFrom) {
  EXPECT_FALSE(GetParam().name.empty());
  EXPECT_FALSE(GetParam().summary.empty());
  EXPECT_FALSE(GetParam().source.empty());
  EXPECT_EQ(&find_calibrator(GetParam().name).name, &find_calibrator(GetParam().name).name);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryCalibrator,
                         testing::ValuesIn(calibrators().begin(), calibrators().end()),
                         [](const auto& row) {
                           std::string name(row.param.name);
                           std::ranges::replace_if(
                               name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST(Registry, ListsTheKnownCalibratorsWhenAskedForAnother) {
  const Error error = error_of([] { compute_range({}, "kl", {}); });

  EXPECT_EQ(error.code(), ErrorCode::bad_argument);
  EXPECT_THAT(error.what(),
              HasSubstr("no calibrator 'kl'; known: min-max, percentile, entropy, mse"));
}

}  // namespace
}  // namespace yoloq::calibrate
