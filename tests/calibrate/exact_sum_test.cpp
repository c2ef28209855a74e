// SPDX-License-Identifier: Apache-2.0
#include "calibrate/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace yoloq::calibrate {
namespace {

ExactSum sum_of(const std::vector<double>& terms) {
  ExactSum sum;
  for (const double term : terms) sum.add(term);
  return sum;
}

TEST(ExactSum, LosesNothingToCancellation) {
  EXPECT_EQ(sum_of({1e38, 1.0, -1e38}).value(), 1.0);
  EXPECT_EQ(sum_of({-1e38, -1.0, 1e38}).value(), -1.0);
  EXPECT_EQ(sum_of({0.25, 0.5, -0.75}), ExactSum());
}

TEST(ExactSum, IsTheSameInAnyOrder) {
  std::mt19937 random(5);
  std::vector<double> terms;
  for (int i = 0; i < 1000; ++i) {
    const double value = static_cast<double>(static_cast<float>(random()) - 2e9f);
    terms.push_back(std::ldexp(value, i % 120 - 60));
  }
  const ExactSum expected = sum_of(terms);
  std::shuffle(terms.begin(), terms.end(), random);
  const auto half = terms.begin() + 400;

  ExactSum merged = sum_of({terms.begin(), half});
  merged.add(sum_of({half, terms.end()}));

  EXPECT_EQ(sum_of(terms), expected);
  EXPECT_EQ(merged, expected);
}

TEST(ExactSum, HoldsEveryFloatAndGivesItBack) {
  constexpr double kLeast = std::numeric_limits<float>::denorm_min();
  constexpr double kMost = std::numeric_limits<float>::max();
  for (const double term : {0.0, 1.0, -1.0, 0.1, kLeast, -kLeast, kMost, -kMost, 1.0 / 3.0}) {
    EXPECT_EQ(sum_of({term}).value(), term);
  }
}

TEST(ExactSum, RepeatsAsIfAddedAgain) {
  ExactSum sum = sum_of({-0.1, 3e10});

  sum.repeat(4);

  EXPECT_EQ(sum, sum_of({-0.1, -0.1, -0.1, -0.1, 3e10, 3e10, 3e10, 3e10}));
  EXPECT_EQ(ExactSum(sum.digits()), sum);
}

TEST(ExactSum, DropsWhatNoSumOfFloatsHas) {
  EXPECT_EQ(sum_of({std::ldexp(1.0, -150)}), ExactSum());
  EXPECT_EQ(sum_of({std::ldexp(1.0, -300)}), ExactSum());
  EXPECT_EQ(sum_of({std::ldexp(3.0, -150)}).value(), std::ldexp(1.0, -149));
}

}  // namespace
}  // namespace yoloq::calibrate
