// SPDX-License-Identifier: Apache-2.0
#include "coco/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace yoloq::coco {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::uint16_t kAll = 0b11'1111'1111;
constexpr std::array<double, 4> kTruthBox{10, 10, 40, 40};
constexpr std::array<double, 4> kHalfOfTruthBox{10, 10, 40, 20};  // overlap with kTruthBox: 1/2

Annotations one_box(std::int64_t id) {
  return {{{5, 100, 100, "five.jpg"}},
          {{1, "cat"}},
          {{.id = id,
            .image_id = 5,
            .category_id = 1,
            .bbox = kTruthBox,
            .area = 1600,
            .is_crowd = false,
            .ignore = false}}};
}

TEST(Match, JudgesEveryThresholdByItself) {
  const std::vector<Detection> detections{{5, 1, kHalfOfTruthBox, 0.9}, {5, 1, kTruthBox, 0.8}};

  const Matches matches = match(one_box(1), detections);

  // The first takes the box at .50, where it reaches it; the second has it at all others.
  ASSERT_EQ(matches.classes.at(0).verdicts.size(), 2u);
  const Verdict& first = matches.classes[0].verdicts[0];
  const Verdict& second = matches.classes[0].verdicts[1];
  EXPECT_EQ(first.matched[0], 0b1);
  EXPECT_EQ(second.matched[0], kAll & ~0b1);
  EXPECT_EQ(first.ignored[0], 0);
}

TEST(Match, IgnoresWhatLiesOutsideOfAnAreaRange) {
  const std::vector<Detection> detections{{5, 1, {80, 80, 10, 10}, 0.9}, {5, 1, kTruthBox, 0.8}};

  const Matches matches = match(one_box(1), detections);

  // Ranges: all, small, medium, large. The first is a wrong small one, the second a right medium.
  const auto& verdicts = matches.classes.at(0).verdicts;
  EXPECT_THAT(verdicts.at(0).ignored, ElementsAre(0, 0, kAll, kAll));
  EXPECT_THAT(verdicts.at(1).ignored, ElementsAre(0, kAll, 0, kAll));
  EXPECT_THAT(verdicts.at(1).matched, Each(kAll));
  EXPECT_THAT(matches.classes[0].truths.at(0).counted, ElementsAre(1, 0, 1, 0));
}

TEST(Match, OrdersVerdictsByScoreAndSaysWhereTheyCameFrom) {
  const std::vector<Detection> detections{{5, 1, kHalfOfTruthBox, 0.1}, {5, 1, kTruthBox, 0.8}};

  const Matches matches = match(one_box(1), detections);

  const auto& verdicts = matches.classes.at(0).verdicts;
  EXPECT_EQ(verdicts.at(0).detection, 1u);
  EXPECT_EQ(verdicts.at(0).rank, 0);
  EXPECT_EQ(verdicts.at(1).detection, 0u);
  EXPECT_EQ(verdicts.at(1).rank, 1);
  EXPECT_THAT(matches.image_ids, ElementsAre(5));
}

TEST(Match, NeverFindsABoxWithIdZero) {
  const std::vector<Detection> detections{{5, 1, kTruthBox, 0.9}};

  const Matches matches = match(one_box(0), detections);

  EXPECT_THAT(matches.classes.at(0).verdicts.at(0).matched, Each(0));
  EXPECT_THAT(matches.classes.at(0).truths.at(0).counted, ElementsAre(1, 0, 1, 0));
}

TEST(Match, DoesNotMeetBoxesOfZeroOrNegativeSide) {
  for (const double side : {0.0, -40.0}) {
    const std::vector<Detection> detections{{5, 1, {10, 10, side, 40}, 0.9}};

    const Matches matches = match(one_box(1), detections);

    EXPECT_THAT(matches.classes.at(0).verdicts.at(0).matched, Each(0)) << side;
  }
}

}  // namespace
}  // namespace yoloq::coco
