// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "coco/evaluate.h"

namespace yoloq::sensitivity {
namespace {

using testing::ElementsAreArray;
using testing::Ge;
using testing::SizeIs;

/// Three images with one box each.
pipeline::GroundTruth three_images() {
  pipeline::GroundTruth truth;
  truth.annotations.categories = {{.id = 1, .name = "a"}};
  truth.category_ids = {1};
  for (std::int64_t id : {1, 2, 3}) {
    truth.annotations.images.push_back({.id = id});
    truth.annotations.boxes.push_back(
        {.id = id, .image_id = id, .category_id = 1, .bbox = {0, 0, 50, 50}, .area = 2500});
    truth.image_ids.push_back(id);
  }
  return truth;
}

/// Found in image 1 alone.
const std::vector<coco::Detection> kOneFound{
    {.image_id = 1, .category_id = 1, .bbox = {0, 0, 50, 50}, .score = 0.9}};

TEST(ImageCounts, DrawAsManyAsThereAreAndTheSameEachTime) {
  const auto counts = image_counts(100, 7);

  EXPECT_THAT(counts, SizeIs(100));
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), 100u);
  EXPECT_THAT(*std::ranges::max_element(counts), Ge(2u));
  EXPECT_THAT(image_counts(100, 7), ElementsAreArray(counts));
  EXPECT_NE(image_counts(100, 8), counts);
}

TEST(ApDraws, AreWhatEvaluationGivesOnTheDrawnImages) {
  const pipeline::GroundTruth truth = three_images();

  const ApDraws found = ap_draws(kOneFound, truth, 5);

  EXPECT_EQ(found.ap, coco::evaluate(truth.annotations, kOneFound)[coco::Figure::ap]);
  ASSERT_THAT(found.draws, SizeIs(5));
  for (std::size_t draw = 0; draw < 5; ++draw) {
    // Recall is the part of drawn images that are image 1; AP is that in steps of 1 / 101.
    const double part = image_counts(3, draw)[0] / 3.0;
    EXPECT_NEAR(found.draws[draw], part, 1.0 / 101) << draw;
  }
}

}  // namespace
}  // namespace yoloq::sensitivity
