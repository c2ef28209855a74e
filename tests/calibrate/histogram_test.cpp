// SPDX-License-Identifier: Apache-2.0
#include "calibrate/histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "calibrate/samples.h"

namespace yoloq::calibrate {
namespace {

constexpr std::size_t kZero = Histogram::kBinsPerSide;  // the bin that begins at 0

Histogram histogram_of(std::span<const float> values) {
  Histogram histogram;
  histogram.observe(values);
  return histogram;
}

TEST(Histogram, CountsOnBothSidesOfZero) {
  const Histogram histogram = histogram_of(std::array{4095.5f, 0.0f, 0.5f, 1.0f, -0.5f, -1.0f});

  EXPECT_EQ(histogram.bin_width(), 1.0f);
  EXPECT_EQ(histogram.counts()[kZero], 2u);      // [0, 1)
  EXPECT_EQ(histogram.counts()[kZero + 1], 1u);  // [1, 2)
  EXPECT_EQ(histogram.counts()[kZero - 1], 1u);  // (-1, 0)
  EXPECT_EQ(histogram.counts()[kZero - 2], 1u);  // (-2, -1]
  EXPECT_EQ(histogram.counts()[kZero + 4095], 1u);
  EXPECT_EQ(histogram.total(), 6u);
}

TEST(Histogram, DoublesTheWidthAsSoonAsAValueFallsOutside) {
  const float inside = std::nextafter(4096.0f, 0.0f);

  EXPECT_EQ(histogram_of(std::array{inside}).bin_width(), 1.0f);
  EXPECT_EQ(histogram_of(std::array{-inside}).bin_width(), 1.0f);
  EXPECT_EQ(histogram_of(std::array{4096.0f}).bin_width(), 2.0f);
  EXPECT_EQ(histogram_of(std::array{-4096.0f}).bin_width(), 2.0f);
}

TEST(Histogram, MergesAdjacentBinsWhenTheWidthDoubles) {
  Histogram histogram = histogram_of(std::array{4095.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f});

  histogram.observe(std::array{5000.0f});

  EXPECT_EQ(histogram.bin_width(), 2.0f);
  EXPECT_EQ(histogram.counts()[kZero], 2u);      // [0, 2)
  EXPECT_EQ(histogram.counts()[kZero + 1], 1u);  // [2, 4)
  EXPECT_EQ(histogram.counts()[kZero - 1], 2u);  // (-2, 0)
  EXPECT_EQ(histogram.counts()[kZero - 2], 1u);  // (-4, -2]
  EXPECT_EQ(histogram.counts()[kZero + 2047], 1u);
}

TEST(Histogram, IsTheSameInAnyOrderAndPartition) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (int i = 0; i < 5000; ++i) {
    values.push_back(normal(random) * std::exp2(static_cast<float>(i % 40 - 20)));
  }
  const Histogram expected = histogram_of(values);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(values.begin(), values.end(), random);
    const auto cut = static_cast<std::size_t>(round) * 1100 + 1;

    Histogram one_by_one = histogram_of(std::span(values).first(cut));
    for (const float& value : std::span(values).subspan(cut)) {
      one_by_one.observe(std::span(&value, 1));
    }
    Histogram merged = histogram_of(std::span(values).first(cut));
    merged.merge(histogram_of(std::span(values).subspan(cut)));

    EXPECT_EQ(one_by_one, expected);
    EXPECT_EQ(merged, expected);
  }
}

TEST(Histogram, HoldsTheLargestAndSmallestFloats) {
  constexpr float kMost = std::numeric_limits<float>::max();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();

  Histogram histogram = histogram_of(std::array{kLeast, -kLeast, 0.0f});
  EXPECT_EQ(histogram.exponent(), Histogram::kSmallestExponent);
  EXPECT_EQ(histogram.counts()[kZero], 2u);
  EXPECT_EQ(histogram.counts()[kZero - 1], 1u);

  histogram.observe(std::array{kMost, -kMost});
  EXPECT_EQ(histogram.exponent(), Histogram::kLargestExponent);
  EXPECT_EQ(histogram.counts().front(), 1u);
  EXPECT_EQ(histogram.counts().back(), 1u);
  EXPECT_EQ(histogram.counts()[kZero], 2u);
  EXPECT_EQ(histogram.counts()[kZero - 1], 1u);
}

TEST(Histogram, TakesInNothingIfAValueIsNotFinite) {
  Histogram histogram = histogram_of(std::array{1.0f});
  const Histogram before = histogram;

  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const auto error = test::error_of([&] { histogram.observe(std::array{2.0f, bad}); });
    EXPECT_EQ(error.code(), ErrorCode::bad_value);
  }

  EXPECT_EQ(histogram, before);
}

TEST(Histogram, CountsBeyond32Bits) {
  Histogram histogram = histogram_of(std::array{1.0f, -2.0f, -2.0f});

  histogram.repeat(std::uint64_t{1} << 40);

  EXPECT_EQ(histogram.total(), std::uint64_t{3} << 40);
  const std::size_t bin = Histogram::bin_of(-2.0f, histogram.exponent());
  EXPECT_EQ(histogram.counts()[bin], std::uint64_t{2} << 40);
}

TEST(Histogram, RefusesCountsThatDoNotFit) {
  Histogram histogram = histogram_of(std::array{1.0f, 2.0f});

  const auto repeat = [&](std::uint64_t factor) {
    return test::error_of([&] { histogram.repeat(factor); }).code();
  };
  const std::array<std::uint64_t, 2> counts = {1, 1};
  const auto make = [&](int exponent, std::size_t first) {
    return test::error_of([&] { Histogram::of(exponent, first, counts); }).code();
  };

  EXPECT_EQ(repeat(std::uint64_t{1} << 63), ErrorCode::bad_argument);
  EXPECT_EQ(repeat(0), ErrorCode::bad_argument);
  EXPECT_EQ(make(-127, 0), ErrorCode::corrupt_file);
  EXPECT_EQ(make(117, 0), ErrorCode::corrupt_file);
  EXPECT_EQ(make(0, Histogram::kBins - 1), ErrorCode::corrupt_file);
}

}  // namespace
}  // namespace yoloq::calibrate
