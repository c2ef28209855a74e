// SPDX-License-Identifier: Apache-2.0

/// @file
/// The calibrators against oracle.py, which computes from the values themselves (numpy, float64)
/// and by the definitions, without histograms of ours, running sums or a clever search.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "calibrate/calibrator.h"
#include "calibrate/mse.h"
#include "calibrate/samples.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::calibrate {
namespace {

using yoloq::test::TemporaryFolder;

class Oracle : public testing::TestWithParam<test::Sample> {
 protected:
  void SetUp() override {
    values_ = GetParam().values();
    std::string bytes(values_.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values_.data(), bytes.size());
    write_file(folder_ / "values.f32", bytes);
    statistics_ = test::statistics_of(values_);
    width_ = static_cast<double>(statistics_.histogram.bin_width());
  }

  /// What oracle.py answers.
  std::vector<double> ask(std::vector<std::string> question) const {
    question.insert(question.begin() + 1, folder_ / "values.f32");
    const auto finished = yoloq::test::run_python("tests/calibrate/oracle.py", question);
    EXPECT_EQ(finished.status, 0) << finished.errors << finished.output;
    std::istringstream words(finished.output);
    std::vector<double> answer;
    for (double value = 0.0; words >> value;) answer.push_back(value);
    return answer;
  }

  Range symmetric(std::string_view calibrator, double percentile = 99.99) const {
    return compute_range(statistics_, calibrator, {.percentile = percentile});
  }
  Range asymmetric(std::string_view calibrator, double percentile = 99.99) const {
    return compute_range(statistics_, calibrator,
                         {.scheme = Scheme::asymmetric, .percentile = percentile});
  }

  TemporaryFolder folder_;
  std::vector<float> values_;
  TensorStatistics statistics_;
  double width_ = 0.0;
};

std::string digits(double value) { return fmt::format("{:.17g}", value); }

TEST_P(Oracle, AgreesOnMinMaxExactly) {
  const auto expected = ask({"min-max"});
  ASSERT_EQ(expected.size(), 3u);

  EXPECT_EQ(symmetric("min-max").high, expected[0]);
  EXPECT_EQ(asymmetric("min-max").low, expected[1]);
  EXPECT_EQ(asymmetric("min-max").high, expected[2]);
}

TEST_P(Oracle, AgreesOnPercentilesWithinABin) {
  constexpr double kPercentiles[] = {99.0, 99.9, 99.99, 99.999, 99.9999, 100.0};
  std::vector<std::string> question = {"percentiles"};
  for (const double percentile : kPercentiles) question.push_back(digits(percentile));
  const auto expected = ask(question);
  ASSERT_EQ(expected.size(), 3 * std::size(kPercentiles));
  const double tolerance = width_ * 1.0001;  // where in its bin a value lies is not kept

  auto next = expected.begin();
  for (const double percentile : kPercentiles) {
    const Range range = asymmetric("percentile", percentile);

    EXPECT_NEAR(symmetric("percentile", percentile).high, *next++, tolerance) << percentile;
    EXPECT_NEAR(range.low, *next++, tolerance) << percentile;
    EXPECT_NEAR(range.high, *next++, tolerance) << percentile;
  }
}

TEST_P(Oracle, FindsNoThresholdThatDivergesLess) {
  if (statistics_.max == 0.0f && statistics_.min == 0.0f) return;  // the empty range: no threshold
  const Range two_sided = symmetric("entropy");
  const Range range = asymmetric("entropy");

  const auto excess = ask(
      {"entropy", digits(width_), digits(two_sided.high), digits(range.low), digits(range.high)});

  // Symmetric, then the two searches of the asymmetric scheme: divergence above the least one.
  constexpr double kRounding = 1e-9;  // of sums over some thousand bins
  ASSERT_EQ(excess.size(), 3u);
  for (const double above_least : excess) EXPECT_LE(above_least, kRounding);
}

/// Bins are about 1/16 of a step wide here, and the oracle picks the luckiest of some hundred
/// candidates for these very values where we minimise an expectation: with N values, an error
/// varies by about 1 / sqrt(N) = 0.7 % of itself.
constexpr double kLuck = 0.025;

TEST_P(Oracle, FindsNoRangeWithLessSquaredError) {
  const Range two_sided = symmetric("mse");
  const Range range = asymmetric("mse");

  const auto errors = ask({"mse", digits(two_sided.high), digits(range.low), digits(range.high)});

  ASSERT_EQ(errors.size(), 4u);  // ours, the least; symmetric, asymmetric
  const double most = static_cast<double>(std::max(-statistics_.min, statistics_.max));
  const double rounding = std::pow(1e-6 * most, 2);  // of the ends to float
  EXPECT_LE(errors[0], errors[1] * (1 + kLuck) + rounding);
  EXPECT_LE(errors[2], errors[3] * (1 + kLuck) + rounding);
}

TEST_P(Oracle, PredictsTheSquaredErrorOfAGrid) {
  const double most = static_cast<double>(std::max(-statistics_.min, statistics_.max));
  if (most == 0.0 || values_.size() < 10'000) return;  // too few values for an even spread in bins
  const double scales[] = {most / 127, most / 127 / 3};

  const auto actual = ask({"mse-of", digits(scales[0]), digits(scales[1])});

  ASSERT_EQ(actual.size(), std::size(scales));
  constexpr double kSpread = 0.03;  // values are spread over their bins by chance
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double predicted = mean_squared_error(statistics_, scales[i], 128, 8);
    EXPECT_NEAR(predicted, actual[i], actual[i] * kSpread) << scales[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, Oracle, testing::ValuesIn(test::kSamples),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace yoloq::calibrate
