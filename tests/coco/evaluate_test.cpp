// SPDX-License-Identifier: Apache-2.0
#include "coco/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"

namespace yoloq::coco {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::Eq;
using testing::HasSubstr;

constexpr double kRounding = 1e-12;
constexpr std::array<double, 4> kSquare{10, 10, 40, 40};       // medium: 32^2 <= 1600 <= 96^2
constexpr std::array<double, 4> kElsewhere{200, 200, 40, 40};  // meets kSquare nowhere
constexpr std::array<double, 4> kHalf{10, 10, 40, 20};         // overlap with kSquare: 1/2

Box box_at(std::int64_t id, std::int64_t image, const std::array<double, 4>& bbox) {
  return {.id = id,
          .image_id = image,
          .category_id = 1,
          .bbox = bbox,
          .area = bbox[2] * bbox[3],
          .is_crowd = false,
          .ignore = false};
}

Annotations two_images(std::vector<Box> boxes) {
  return {{{1, 300, 300, "one.jpg"}, {2, 300, 300, "two.jpg"}}, {{1, "cat"}}, std::move(boxes)};
}

std::string message_of(const Annotations& annotations, const std::vector<Detection>& detections,
                       const Options& options = {}) {
  try {
    evaluate(annotations, detections, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Evaluate, GivesOneForPerfectDetections) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare), box_at(2, 2, kSquare)});
  const std::vector<Detection> detections{{1, 1, kSquare, 0.9}, {2, 1, kSquare, 0.3}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1, kRounding));
  EXPECT_THAT(metrics[Figure::ap_medium], DoubleNear(1, kRounding));
  EXPECT_EQ(metrics[Figure::ap_small], -1);
  EXPECT_EQ(metrics[Figure::ap_large], -1);
  EXPECT_EQ(metrics[Figure::ar1], 1);
  EXPECT_EQ(metrics.boxes, 2u);
  EXPECT_EQ(metrics.images, 2u);
  EXPECT_EQ(metrics.classes.at(0).name, "cat");
  EXPECT_THAT(metrics.classes.at(0).ap, DoubleNear(1, kRounding));
}

TEST(Evaluate, LowersPrecisionByAWrongDetectionAheadOfARightOne) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});
  const std::vector<Detection> detections{{2, 1, kElsewhere, 0.9}, {1, 1, kSquare, 0.3}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1.0 / 2, kRounding));
  EXPECT_EQ(metrics[Figure::ar100], 1);
}

TEST(Evaluate, HoldsTheHighestPrecisionOfEachRecall) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare), box_at(2, 2, kSquare)});
  const std::vector<Detection> detections{
      {1, 1, kSquare, 0.9}, {1, 1, kElsewhere, 0.8}, {2, 1, kSquare, 0.7}};

  const Metrics metrics = evaluate(annotations, detections);

  // Recalls 0 to .50 are reached by one of one, .51 to 1 by two of three.
  EXPECT_THAT(metrics[Figure::ap], DoubleNear((51 * 1.0 + 50 * 2.0 / 3) / 101, kRounding));
  const auto curve = metrics.curves.precision({.threshold = 0});
  EXPECT_THAT(curve[50], DoubleNear(1, kRounding));
  EXPECT_THAT(curve[51], DoubleNear(2.0 / 3, kRounding));
}

TEST(Evaluate, CountsAnOverlapThatLiesOnTheThreshold) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});
  const std::vector<Detection> detections{{1, 1, kHalf, 0.9}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap50], DoubleNear(1, kRounding));
  EXPECT_EQ(metrics[Figure::ap75], 0);
  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1.0 / 10, kRounding));
  EXPECT_THAT(metrics.classes.at(0).ap50, DoubleNear(1, kRounding));
}

TEST(Evaluate, GivesABoxToOneDetectionOnly) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare), box_at(2, 2, kSquare)});
  const std::vector<Detection> detections{
      {1, 1, kSquare, 0.9}, {1, 1, kSquare, 0.8}, {2, 1, kSquare, 0.7}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap], DoubleNear((51 * 1.0 + 50 * 2.0 / 3) / 101, kRounding));
}

TEST(Evaluate, LeavesDetectionsInACrowdOut) {
  Box crowd = box_at(1, 1, {0, 0, 100, 100});
  crowd.is_crowd = true;
  const Annotations annotations = two_images({crowd, box_at(2, 2, kSquare)});
  const std::vector<Detection> detections{
      {1, 1, kSquare, 0.9}, {1, 1, {50, 50, 9, 9}, 0.8}, {2, 1, kSquare, 0.7}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1, kRounding));
  EXPECT_EQ(metrics.boxes, 1u);
}

TEST(Evaluate, LooksAtAHundredDetectionsOfAClassInAnImage) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});
  std::vector<Detection> detections(100, {1, 1, kElsewhere, 0.5});
  detections.push_back({1, 1, kSquare, 0.4});

  EXPECT_EQ(evaluate(annotations, detections)[Figure::ar100], 0);
  detections.back().score = 0.6;
  EXPECT_EQ(evaluate(annotations, detections)[Figure::ar1], 1);
  EXPECT_EQ(evaluate(annotations, detections).detections, 100u);
}

TEST(Evaluate, TakesEqualScoresInTheOrderOfTheFile) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});

  const Metrics right_first =
      evaluate(annotations, std::vector<Detection>{{1, 1, kSquare, 0.0}, {1, 1, kElsewhere, -0.0}});
  const Metrics wrong_first =
      evaluate(annotations, std::vector<Detection>{{1, 1, kElsewhere, -0.0}, {1, 1, kSquare, 0.0}});

  EXPECT_THAT(right_first[Figure::ap], DoubleNear(1, kRounding));
  EXPECT_THAT(wrong_first[Figure::ap], DoubleNear(1.0 / 2, kRounding));
}

TEST(Evaluate, SaysMinusOneWhereNothingIsToBeFound) {
  const std::vector<Detection> detections{{1, 1, kSquare, 0.9}};

  EXPECT_THAT(evaluate(two_images({}), detections).figures, Each(Eq(-1)));
  EXPECT_THAT(evaluate({}, {}).figures, Each(Eq(-1)));
  EXPECT_EQ(evaluate(two_images({}), detections).classes.at(0).ap, -1);
}

TEST(Evaluate, GivesZeroWithoutDetections) {
  const Metrics metrics = evaluate(two_images({box_at(1, 1, kSquare)}), {});

  EXPECT_EQ(metrics[Figure::ap], 0);
  EXPECT_EQ(metrics[Figure::ar100], 0);
}

TEST(Evaluate, CountsDetectionsOfUnknownCategoriesAndLeavesThemOut) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});
  const std::vector<Detection> detections{{1, 5, kElsewhere, 0.9}, {1, 1, kSquare, 0.3}};

  const Metrics metrics = evaluate(annotations, detections);

  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1, kRounding));
  EXPECT_EQ(metrics.unknown_category, 1u);
}

TEST(Evaluate, LooksAtTheImagesAskedForOnly) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare), box_at(2, 2, kSquare)});
  const std::vector<Detection> detections{{2, 1, kElsewhere, 0.9}, {1, 1, kSquare, 0.3}};

  const Metrics metrics = evaluate(annotations, detections, {.image_ids = {1, 1}});

  EXPECT_THAT(metrics[Figure::ap], DoubleNear(1, kRounding));
  EXPECT_EQ(metrics.images, 1u);
}

TEST(Evaluate, NamesWhatDoesNotBelongTogether) {
  const Annotations annotations = two_images({box_at(1, 1, kSquare)});
  const double nan = std::numeric_limits<double>::quiet_NaN();

  EXPECT_THAT(message_of(annotations, {{1, 1, kSquare, 0.9}, {77, 1, kSquare, 0.9}}),
              HasSubstr("detection 1 belongs to image 77"));
  EXPECT_THAT(message_of(annotations, {{2, 1, kSquare, nan}}),
              HasSubstr("detection 0 of image 2: its score is NaN"));
  EXPECT_THAT(message_of(annotations, {}, {.image_ids = {1, 99}}), HasSubstr("image 99"));
}

}  // namespace
}  // namespace yoloq::coco
