// SPDX-License-Identifier: Apache-2.0
#include "train/loss_options.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace yoloq::train {
namespace {

LossOptions of_levels(std::size_t levels) {
  return {.anchors = std::vector<std::vector<model::Anchor>>(levels, {{10, 13}})};
}

TEST(ScaleGains, LeavesThoseOfThreeLevelsEightyClassesAnd640Alone) {
  const LossOptions scaled = scale_gains(of_levels(3), {.class_count = 80, .image_side_px = 640});

  EXPECT_DOUBLE_EQ(scaled.box, 0.05);
  EXPECT_DOUBLE_EQ(scaled.cls, 0.5);
  EXPECT_DOUBLE_EQ(scaled.obj, 1.0);
}

TEST(ScaleGains, FollowsClassesImageSizeAndLevels) {
  const LossOptions scaled = scale_gains(of_levels(4), {.class_count = 4, .image_side_px = 320});

  EXPECT_DOUBLE_EQ(scaled.box, 0.05 * 3 / 4);
  EXPECT_DOUBLE_EQ(scaled.cls, 0.5 * 4 / 80 * 3 / 4);
  EXPECT_DOUBLE_EQ(scaled.obj, 1.0 * 0.25 * 3 / 4);
}

TEST(ScaleGains, RefusesWhatNothingCanBeScaledTo) {
  EXPECT_THROW(scale_gains({}, {}), Error);
  EXPECT_THROW(scale_gains(of_levels(3), {.class_count = 0}), Error);
  EXPECT_THROW(scale_gains(of_levels(3), {.image_side_px = 0}), Error);
}

}  // namespace
}  // namespace yoloq::train
