// SPDX-License-Identifier: Apache-2.0
#include "report/pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace yoloq::report {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::array<double, 4> kHere{10, 10, 40, 40};
constexpr std::array<double, 4> kNearHere{14, 10, 40, 40};  // Overlap 36 / 44 with kHere.
constexpr std::array<double, 4> kBeside{30, 10, 40, 40};    // Overlap 20 / 60.
constexpr std::array<double, 4> kElsewhere{200, 10, 40, 40};
constexpr double kLeast = 0.25;

using Detections = std::vector<coco::Detection>;

TEST(PairUp, FindsTheSameObjectOfTheSameClassAndImage) {
  const Detections first{{1, 7, kHere, 0.9}};

  const auto same = pair_up(first, Detections{{1, 7, kNearHere, 0.8}}, kLeast);
  ASSERT_THAT(same.at(1), SizeIs(1));
  EXPECT_EQ(same.at(1)[0].first_score(), 0.9);
  EXPECT_EQ(same.at(1)[0].second_score(), 0.8);

  for (const coco::Detection& other :
       {coco::Detection{1, 8, kHere, 0.8}, {1, 7, kBeside, 0.8}, {1, 7, kElsewhere, 0.8}}) {
    const Detections second{other};
    const auto apart = pair_up(first, second, kLeast);
    ASSERT_THAT(apart.at(1), SizeIs(2));
    EXPECT_FALSE(apart.at(1)[0].second);
    EXPECT_FALSE(apart.at(1)[1].first);
  }
  const Detections second{{2, 7, kHere, 0.8}};
  EXPECT_THAT(pair_up(first, second, kLeast), SizeIs(2));
}

TEST(PairUp, TakesAPartnerOfAnyScoreInBothDirections) {
  const Detections sure{{1, 7, kHere, 0.26}};
  const Detections unsure{{1, 7, kHere, 0.24}};

  for (const auto& pairs : {pair_up(sure, unsure, kLeast), pair_up(unsure, sure, kLeast)}) {
    ASSERT_THAT(pairs.at(1), SizeIs(1));
    EXPECT_NEAR(change_of(pairs.at(1)), 0.02, 1e-12);
  }
}

TEST(PairUp, LeavesOutWhatNoModelIsSureOf) {
  const Detections unsure{{1, 7, kHere, 0.2}};

  EXPECT_THAT(pair_up(unsure, unsure, kLeast), IsEmpty());
}

TEST(PairUp, GivesAPartnerToOneOnlyTheSurestFirst) {
  const Detections first{{1, 7, kNearHere, 0.5}, {1, 7, kHere, 0.9}};
  const Detections second{{1, 7, kHere, 0.8}};

  const auto pairs = pair_up(first, second, kLeast);

  ASSERT_THAT(pairs.at(1), SizeIs(2));
  EXPECT_EQ(pairs.at(1)[0].first_score(), 0.9);
  EXPECT_EQ(pairs.at(1)[0].second_score(), 0.8);
  EXPECT_FALSE(pairs.at(1)[1].second);
  EXPECT_NEAR(change_of(pairs.at(1)), (0.9 - 0.8) + 0.5, 1e-12);
}

TEST(PairUp, TakesAnOverlapOfJustHalf) {
  const Detections first{{1, 7, {0, 0, 20, 10}, 0.9}};
  const Detections second{{1, 7, {0, 0, 10, 10}, 0.8}};

  EXPECT_THAT(pair_up(first, second, kLeast).at(1), SizeIs(1));
}

TEST(PairUp, PrefersTheLargestOverlap) {
  const Detections first{{1, 7, kHere, 0.9}};
  const Detections second{{1, 7, kNearHere, 0.8}, {1, 7, kHere, 0.7}};

  const auto pairs = pair_up(first, second, kLeast);

  EXPECT_EQ(pairs.at(1)[0].second_score(), 0.7);
}

}  // namespace
}  // namespace yoloq::report
