// SPDX-License-Identifier: Apache-2.0
#include "search/front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace yoloq::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParetoFront, KeepsWhatNothingBeats) {
  const std::vector<Point> points{
      {.accuracy = 0.28, .time = 1.0},
      {.accuracy = 0.27, .time = 1.1},  // Slower and worse.
      {.accuracy = 0.29, .time = 1.2},
      {.accuracy = 0.285, .time = 2.0},  // Slower and worse than the third.
      {.accuracy = 0.30, .time = 2.4}};

  EXPECT_THAT(pareto_front(points), ElementsAre(0, 2, 4));
}

TEST(ParetoFront, TimesWithinAHundredthAreTheSame) {
  const std::vector<Point> points{{.accuracy = 0.28, .time = 1.0},
                                  {.accuracy = 0.29, .time = 1.004}};

  EXPECT_THAT(pareto_front(points), ElementsAre(1));
}

TEST(ParetoFront, OfEqualPointsTheFirstStays) {
  const std::vector<Point> points{{.accuracy = 0.28, .time = 1.0}, {.accuracy = 0.28, .time = 1.0}};

  EXPECT_THAT(pareto_front(points), ElementsAre(0));
}

TEST(ParetoFront, OfNothingIsNothing) { EXPECT_THAT(pareto_front({}), IsEmpty()); }

TEST(ParetoFront, IsWhatComparingAllPairsGives) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> any(0, 20);
  for (int round = 0; round < 200; ++round) {
    std::vector<Point> points(12);
    for (Point& point : points)
      point = {.accuracy = any(random) / 20.0, .time = 1 + any(random) * 0.05};
    points.front().time = 1;  // The grid of times begins at the fastest.
    const auto front = pareto_front(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool beaten = std::ranges::any_of(points, [&](const Point& other) {
        return other.accuracy >= points[i].accuracy && other.time <= points[i].time &&
               (other.accuracy > points[i].accuracy || other.time < points[i].time);
      });
      const bool on_front = std::ranges::find(front, i) != front.end();
      EXPECT_FALSE(on_front && beaten) << "round " << round << ", point " << i;
      const bool has_equal_before =
          std::ranges::any_of(std::span(points).first(i), [&](const Point& p) {
            return p.accuracy == points[i].accuracy && p.time == points[i].time;
          });
      EXPECT_TRUE(on_front || beaten || has_equal_before) << "round " << round << ", point " << i;
    }
  }
}

}  // namespace
}  // namespace yoloq::search
