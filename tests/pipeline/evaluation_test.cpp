// SPDX-License-Identifier: Apache-2.0
#include "pipeline/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace yoloq::pipeline {
namespace {

using testing::ElementsAre;

/// One image with the id 7; classes 0 and 1 are the categories 1 and 90.
GroundTruth one_image() {
  GroundTruth truth;
  truth.image_ids = {7};
  truth.category_ids = {1, 90};
  truth.annotations.images = {{.id = 7}, {.id = 8}};
  truth.annotations.categories = {{1, "a"}, {90, "b"}};
  truth.annotations.boxes = {
      {.id = 1, .image_id = 7, .category_id = 90, .bbox = {10, 20, 30, 40}, .area = 1200},
      {.id = 2, .image_id = 8, .category_id = 90, .bbox = {0, 0, 5, 5}, .area = 25}};
  return truth;
}

TEST(Evaluation, WritesDetectionsAsUltralyticsDoes) {
  const std::vector<detect::Boxes> boxes{{{.x1 = 1.23456f,
                                           .y1 = 2,
                                           .x2 = 4.2349f,
                                           .y2 = 8.5f,
                                           .confidence = 0.123456f,
                                           .class_index = 1}}};

  const auto detections = to_coco(boxes, one_image());

  ASSERT_EQ(detections.size(), 1u);
  EXPECT_EQ(detections[0].image_id, 7);
  EXPECT_EQ(detections[0].category_id, 90);
  EXPECT_THAT(detections[0].bbox, ElementsAre(1.235, 2, 3.0, 6.5));
  EXPECT_EQ(detections[0].score, 0.12346);
}

TEST(Evaluation, LooksAtTheImagesOfTheListOnly) {
  const std::vector<detect::Boxes> boxes{
      {{.x1 = 10, .y1 = 20, .x2 = 40, .y2 = 60, .confidence = 0.9f, .class_index = 1}}};
  const GroundTruth truth = one_image();

  const coco::Metrics metrics = evaluate(to_coco(boxes, truth), truth);

  EXPECT_NEAR(metrics[coco::Figure::ap], 1.0, 1e-9);  // The box of image 8 is not missed.
}

}  // namespace
}  // namespace yoloq::pipeline
