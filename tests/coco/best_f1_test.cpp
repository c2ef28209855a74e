// SPDX-License-Identifier: Apache-2.0
#include "coco/best_f1.h"

#include <gtest/gtest.h>

#include <vector>

namespace yoloq::coco {
namespace {

Verdict verdict(double score, bool right, bool ignored = false) {
  Verdict result{.score = score};
  result.matched[0] = right ? 0b1 : 0b10;  // A right one at .50 alone; a wrong one at .55 alone.
  result.ignored[0] = ignored ? 0b1 : 0;
  return result;
}

ClassMatches class_of(std::vector<Verdict> verdicts, std::uint32_t boxes) {
  ClassMatches result{.verdicts = std::move(verdicts)};
  if (boxes > 0) result.truths.push_back({.counted = {boxes, 0, 0, 0}});
  return result;
}

Matches matches_of(std::vector<ClassMatches> classes) { return {.classes = std::move(classes)}; }

TEST(BestF1, IsThatOfTheBestConfidence) {
  // By confidence: .9 right, .8 right, .6 wrong, .4 right, .2 wrong, .1 wrong; of 4 boxes.
  //   >= .8  P 1    R 1/2  F1 .667
  //   >= .4  P 3/4  R 3/4  F1 .75   the best
  //   >= .1  P 1/2  R 3/4  F1 .6
  const BestF1 best =
      best_f1(matches_of({class_of({verdict(.9, true), verdict(.8, true), verdict(.6, false),
                                    verdict(.4, true), verdict(.2, false), verdict(.1, false)},
                                   4)}));

  EXPECT_DOUBLE_EQ(best.precision, 0.75);
  EXPECT_DOUBLE_EQ(best.recall, 0.75);
  // The lowest of those that do: above .2, as 200 / 999 is.
  EXPECT_DOUBLE_EQ(best.confidence, 200.0 / 999);
}

TEST(BestF1, IsOneConfidenceForAllClasses) {
  // Alone, the first does best above .5, the second below .3. Together, F1 means:
  //   >= .9..  1 and 0: .5      .3 < c <= .5  (P 1/2 R 1: .667) and 0: .333
  //   <= .3    .667 and 1: .833  the best; P (1/2 + 1) / 2, R 1
  const BestF1 best = best_f1(matches_of(
      {class_of({verdict(.9, true), verdict(.5, false)}, 1), class_of({verdict(.3, true)}, 1)}));

  EXPECT_DOUBLE_EQ(best.precision, 0.75);
  EXPECT_DOUBLE_EQ(best.recall, 1);
  EXPECT_LE(best.confidence, 0.3);
}

TEST(BestF1, LeavesOutWhatIsIgnoredAndClassesWithoutBoxes) {
  const BestF1 best =
      best_f1(matches_of({class_of({verdict(.9, false, true), verdict(.8, true)}, 1),
                          class_of({verdict(.95, false), verdict(.9, false)}, 0)}));

  EXPECT_DOUBLE_EQ(best.precision, 1);
  EXPECT_DOUBLE_EQ(best.recall, 1);
}

TEST(BestF1, CountsAClassOfWhichNothingIsFound) {
  const BestF1 best = best_f1(matches_of({class_of({verdict(.9, true)}, 1), class_of({}, 5)}));

  EXPECT_DOUBLE_EQ(best.recall, 0.5);
  EXPECT_DOUBLE_EQ(best.precision, 0.5);
}

TEST(BestF1, IsZeroWhereThereIsNothingToFind) {
  const BestF1 nothing = best_f1(matches_of({}));
  const BestF1 no_boxes = best_f1(matches_of({class_of({verdict(.9, false)}, 0)}));

  for (const BestF1& best : {nothing, no_boxes}) {
    EXPECT_DOUBLE_EQ(best.confidence, 0);
    EXPECT_DOUBLE_EQ(best.precision, 0);
    EXPECT_DOUBLE_EQ(best.recall, 0);
  }
}

}  // namespace
}  // namespace yoloq::coco
