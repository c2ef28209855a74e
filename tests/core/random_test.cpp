// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace yoloq {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr int kDraws = 100'000;
constexpr double kFiveSigma =
    5.0;  // Of the mean over kDraws: the seed is fixed, so it never flakes.

double sigma(double deviation) { return deviation / std::sqrt(kDraws); }

// Known answers of Random123, the authors' implementation: kat_vectors, "philox4x32 10".
TEST(Philox, GivesTheAnswersOfItsAuthors) {
  EXPECT_THAT(philox({0, 0, 0, 0}, 0), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Random, DrawsTheBlocksOfThePhiloxCounterInOrder) {
  Random random(0);

  EXPECT_EQ(random.bits(), 0x6627e8d5);
  EXPECT_EQ(random.bits(), 0xe169c58d);
  random.bits();
  random.bits();
  EXPECT_EQ(random.bits(), philox({1, 0, 0, 0}, 0)[0]);
}

TEST(Random, AStreamDependsOnSeedAndIdsAlone) {
  Random drawn(7);
  drawn.bits();
  const auto first = [](Random random) { return random.bits(); };

  EXPECT_EQ(first(drawn.stream(3)), first(Random(7).stream(3)));
  EXPECT_NE(first(Random(7).stream(3).stream(4)), first(Random(7).stream(4).stream(3)));
}

TEST(Random, NeighbouringSeedsAndStreamsShareNothing) {
  std::set<std::uint32_t> seen;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    seen.insert(Random(seed).bits());
    for (std::uint64_t id = 0; id < 30; ++id) seen.insert(Random(seed).stream(id).bits());
  }

  EXPECT_EQ(seen.size(), 30u * 31u);
}

TEST(Random, UniformHasTheMomentsOfItsRange) {
  Random random(1);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform(-2, 4);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 4);
    sum += value;
    squares += (value - 1) * (value - 1);
  }

  EXPECT_NEAR(sum / kDraws, (-2 + 4) / 2.0, kFiveSigma * sigma(std::sqrt(36 / 12.0)));
  EXPECT_NEAR(squares / kDraws, 36 / 12.0, kFiveSigma * sigma(36 / std::sqrt(180.0)));
}

TEST(Random, UniformOfOneStaysBelowIt) {
  Random random(2);
  float largest = 0;
  for (int i = 0; i < kDraws; ++i) largest = std::max(largest, random.uniform());

  EXPECT_LT(largest, 1.0f);
  EXPECT_GT(largest, 0.999f);
}

TEST(Random, NormalHasMeanZeroAndVarianceOneAndThinTails) {
  Random random(3);
  double sum = 0;
  double squares = 0;
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
    beyond_two += std::abs(value) > 2 ? 1 : 0;
  }

  EXPECT_NEAR(sum / kDraws, 0, kFiveSigma * sigma(1));
  EXPECT_NEAR(squares / kDraws, 1, kFiveSigma * sigma(std::sqrt(2.0)));
  EXPECT_NEAR(beyond_two / double{kDraws}, std::erfc(std::sqrt(2.0)), kFiveSigma * sigma(0.21));
}

TEST(Random, IntegersAreEquallyLikelyWithBothEnds) {
  Random random(4);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < kDraws; ++i) ++counts.at(static_cast<std::size_t>(random.integer(-3, 3) + 3));

  const double expected = kDraws / 7.0;
  EXPECT_THAT(counts, Each(testing::AllOf(testing::Gt(expected - 5 * std::sqrt(expected)),
                                          testing::Lt(expected + 5 * std::sqrt(expected)))));
  EXPECT_EQ(random.integer(5, 5), 5);
}

TEST(Random, BelowIsEvenlySpread) {
  Random random(7, 1);
  std::vector<int> counts(3, 0);
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(3));

  const double expected = kDraws / 3.0;
  EXPECT_THAT(counts, Each(testing::AllOf(testing::Gt(expected - 5 * std::sqrt(expected)),
                                          testing::Lt(expected + 5 * std::sqrt(expected)))));
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, BetaHasItsMoments) {
  Random random(5, 0);
  for (const auto& [a, b] : {std::pair{32.0, 32.0}, {2.0, 5.0}, {1.0, 1.0}}) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double value = random.beta(a, b);
      sum += value;
      squares += value * value;
    }

    const double mean = a / (a + b);
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(sum / kDraws, mean, kFiveSigma * sigma(std::sqrt(variance))) << a;
    EXPECT_NEAR(squares / kDraws - mean * mean, variance, variance / 20) << a;
  }
}

TEST(Random, ChanceKeepsItsEnds) {
  Random random(5);
  int often = 0;
  for (int i = 0; i < kDraws; ++i) {
    ASSERT_FALSE(random.chance(0));
    ASSERT_TRUE(random.chance(1));
    often += random.chance(0.3) ? 1 : 0;
  }

  EXPECT_NEAR(often / double{kDraws}, 0.3, kFiveSigma * sigma(std::sqrt(0.3 * 0.7)));
}

TEST(Random, ShuffleKeepsAllItemsAndPutsEachAnywhere) {
  Random random(6);
  std::vector<int> first_places(5, 0);
  for (int i = 0; i < 5000; ++i) {
    std::vector<int> items{0, 1, 2, 3, 4};
    random.shuffle(std::span(items));
    ++first_places[static_cast<std::size_t>(items.front())];
    std::ranges::sort(items);
    ASSERT_THAT(items, ElementsAre(0, 1, 2, 3, 4));
  }

  EXPECT_THAT(first_places, Each(testing::AllOf(testing::Gt(850), testing::Lt(1150))));
}

}  // namespace
}  // namespace yoloq
