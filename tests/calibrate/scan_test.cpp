// SPDX-License-Identifier: Apache-2.0
#include "calibrate/detail/scan.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <ostream>
#include <string>
#include <vector>

#include "calibrate/samples.h"

namespace yoloq::calibrate::detail {

void PrintTo(const Kernels& kernels, std::ostream* out) { *out << kernels.name; }

namespace {

struct Copied {
  float min, max;
  int exponent;
  std::size_t first_bin;
  std::vector<std::uint64_t> counts;
  std::vector<double> sums;

  friend bool operator==(const Copied&, const Copied&) = default;
};

/// Two channels: all values, and all but the first three (so that nothing is aligned).
Copied scan_with(Scan& scan, std::span<const float> values) {
  scan.begin(Histogram::kSmallestExponent);
  EXPECT_TRUE(scan.add(values));
  EXPECT_TRUE(scan.add(values.subspan(std::min<std::size_t>(3, values.size()))));
  const Scanned found = scan.finish();
  return {found.min,
          found.max,
          found.exponent,
          found.first_bin,
          {found.counts.begin(), found.counts.end()},
          {scan.sums().begin(), scan.sums().end()}};
}

class EveryKernel : public testing::TestWithParam<Kernels> {};

TEST_P(EveryKernel, GivesTheBitsOfTheBaseline) {
  Scan scan(GetParam());
  Scan baseline(supported_kernels().back());
  for (const test::Sample& sample : test::kSamples) {
    const auto values = sample.values();
    EXPECT_EQ(scan_with(scan, values), scan_with(baseline, values)) << sample.name;
  }
}

TEST_P(EveryKernel, GivesTheBitsOfTheBaselineWithChannelsLast) {
  Scan scan(GetParam());
  Scan baseline(supported_kernels().back());
  const auto values = test::kSamples[0].values();
  for (const std::size_t channels : {1u, 3u, 17u, 128u}) {
    const auto whole = std::span(values).first(values.size() / channels * channels);
    for (Scan* each : {&scan, &baseline}) {
      each->begin(Histogram::kSmallestExponent);
      EXPECT_TRUE(each->add_channels_last(whole, channels));
    }
    EXPECT_TRUE(std::ranges::equal(scan.sums(), baseline.sums())) << channels;
    EXPECT_TRUE(std::ranges::equal(scan.finish().counts, baseline.finish().counts)) << channels;
  }
}

TEST_P(EveryKernel, AgreesWithPlainLoops) {
  const auto values = test::kSamples[0].values();
  Scan scan(GetParam());

  const Copied found = scan_with(scan, values);

  EXPECT_EQ(found.min, *std::ranges::min_element(values));
  EXPECT_EQ(found.max, *std::ranges::max_element(values));
  double sum = 0.0;
  std::vector<std::uint64_t> counts(Histogram::kBins);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += static_cast<double>(values[i]);
    counts[Histogram::bin_of(values[i], found.exponent)] += i < 3 ? 1 : 2;
  }
  EXPECT_NEAR(found.sums[0], sum, 1e-9);  // another order of adding doubles
  for (std::size_t i = 0; i < found.counts.size(); ++i) {
    ASSERT_EQ(found.counts[i], counts[found.first_bin + i]) << "bin " << found.first_bin + i;
  }
}

TEST_P(EveryKernel, FindsAValueThatIsNotFiniteAnywhere) {
  Scan scan(GetParam());
  for (std::size_t size : {1u, 15u, 16u, 33u, 2048u, 2051u}) {
    for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
      for (std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
        std::vector<float> values(size, 1.0f);
        values[place] = bad;
        scan.begin(0);
        EXPECT_FALSE(scan.add(values)) << bad << " at " << place << " of " << size;
        scan.begin(0);
        EXPECT_FALSE(scan.add_channels_last(values, 1)) << bad << " at " << place << " of " << size;
      }
    }
  }
  EXPECT_EQ(scan_with(scan, std::array{1.0f}).max, 1.0f);  // and is ready for use again
}

INSTANTIATE_TEST_SUITE_P(OnThisCpu, EveryKernel,
                         testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Scan, ForgetsAScanThatWasGivenUp) {
  Scan scan;
  Scan fresh;
  scan.begin(0);
  ASSERT_TRUE(scan.add(std::array{5.0f, -7.0f}));
  ASSERT_FALSE(scan.add(std::array{NAN}));

  EXPECT_EQ(scan_with(scan, std::array{1.0f}), scan_with(fresh, std::array{1.0f}));
}

}  // namespace
}  // namespace yoloq::calibrate::detail
