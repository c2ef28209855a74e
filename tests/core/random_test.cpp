// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace yoloq {
namespace {

using testing::ElementsAre;

TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(1, 2);

  // As computed with Python's integers from the published algorithms.
  EXPECT_THAT((std::array{random.bits(), random.bits(), random.bits()}),
              ElementsAre(1616373938809070510u, 9013835436248551033u, 9661616553285443021u));
  EXPECT_EQ(random.uniform(), 2158354234327461 * 0x1p-53);
}

TEST(Random, StreamsAndSeedsDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t stream = 0; stream < 20; ++stream) seen.insert(Random(seed, stream).bits());
  }

  EXPECT_EQ(seen.size(), 400u);
}

TEST(Random, IsEvenlySpread) {
  Random random(7, 0);
  std::array<int, 10> tenths{};
  std::array<int, 3> thirds{};

  for (int i = 0; i < 30000; ++i) {
    ++tenths.at(static_cast<std::size_t>(random.uniform() * 10));
    ++thirds.at(random.below(3));
  }

  for (const int count : tenths) EXPECT_NEAR(count, 3000, 5 * std::sqrt(3000 * 0.9));
  for (const int count : thirds) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000 * 2.0 / 3));
}

TEST(Random, UniformStaysWithinItsBounds) {
  Random random(3, 0);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.uniform(-2, 3);
    EXPECT_GE(value, -2);
    EXPECT_LT(value, 3);
  }
  EXPECT_EQ(random.uniform(0.5, 0.5), 0.5);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <typename Draw>
Moments moments(const Draw& draw) {
  constexpr int kDraws = 40000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(5, 0);

  const Moments found = moments([&] { return random.normal(); });

  EXPECT_NEAR(found.mean, 0, 5.0 / 200);  // Standard error 1 / sqrt(40000).
  EXPECT_NEAR(found.variance, 1, 5 * std::sqrt(2.0) / 200);
}

TEST(Random, BetaHasItsMoments) {
  Random random(5, 0);
  for (const auto& [a, b] : {std::pair{32.0, 32.0}, {0.5, 2.0}, {1.0, 1.0}}) {
    const Moments found = moments([&, a = a, b = b] { return random.beta(a, b); });

    const double mean = a / (a + b);
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(found.mean, mean, 5 * std::sqrt(variance) / 200) << a;
    EXPECT_NEAR(found.variance, variance, variance / 20) << a;
  }
}

}  // namespace
}  // namespace yoloq
