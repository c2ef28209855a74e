// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/detection_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace yoloq::sensitivity {
namespace {

using testing::DoubleNear;

constexpr double kFloatExact = 1e-6;

/// One cell, one anchor of 16 x 8 pixels, two classes.
const Level kLevel{.anchors = {{16, 8}}, .stride = 8, .classes = 2};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

DetectionError error(const std::vector<float>& base, const std::vector<float>& actual) {
  return detection_error(kLevel, {.shape = {1, 7, 1, 1}, .values = base},
                         {.shape = {1, 7, 1, 1}, .values = actual});
}

/// x, y, w, h at 0: a box of the anchor's size.
const std::vector<float> kBase{0, 0, 0, 0, 2, -1, 1};

TEST(DetectionError, OfTheSameIsZeroWeightedByConfidence) {
  const DetectionError found = error(kBase, kBase);

  EXPECT_THAT(found.weight, DoubleNear(sigmoid(2) * sigmoid(1), kFloatExact));
  EXPECT_THAT(found.box, DoubleNear(0, kFloatExact));
  EXPECT_THAT(found.score, DoubleNear(0, kFloatExact));
}

TEST(DetectionError, IsTheOverlapThatAMovedBoxLoses) {
  std::vector<float> moved = kBase;
  moved[0] = static_cast<float>(std::log(3));  // Sigmoid 0.75 for 0.5: 2 * 0.25 * 8 = 4 pixels.

  // 12 of 16 columns overlap: IoU 12 / 20.
  EXPECT_THAT(error(kBase, moved).box,
              DoubleNear(sigmoid(2) * sigmoid(1) * (1 - 0.6), kFloatExact));
}

TEST(DetectionError, IsTheOverlapThatAGrownBoxLoses) {
  std::vector<float> grown = kBase;
  grown[3] = static_cast<float>(std::log(3));  // (2 * 0.75)^2 = 2.25 times as high.

  EXPECT_THAT(error(kBase, grown).box,
              DoubleNear(sigmoid(2) * sigmoid(1) * (1 - 1 / 2.25), kFloatExact));
}

TEST(DetectionError, IsTheChangeOfTheLikeliestClass) {
  std::vector<float> doubtful = kBase;
  doubtful[4] = 0;    // Objectness.
  doubtful[5] = 100;  // The other class, which nobody asked about.

  EXPECT_THAT(error(kBase, doubtful).score,
              DoubleNear(sigmoid(1) * (sigmoid(2) - sigmoid(0)), kFloatExact));
}

TEST(DetectionError, LooksAwayWhereThereIsNothing) {
  std::vector<float> nothing = kBase;
  nothing[4] = -8;

  EXPECT_EQ(error(nothing, kBase).weight, 0);
  EXPECT_EQ(error(nothing, kBase).score, 0);
}

TEST(DetectionError, OfAnotherHeadIsRefused) {
  const std::vector<float> values(14);
  EXPECT_THROW(detection_error(kLevel, {.shape = {1, 14, 1, 1}, .values = values},
                               {.shape = {1, 14, 1, 1}, .values = values}),
               Error);
}

TEST(DetectionError, ReadsEachCellAndAnchorOnItsOwn) {
  // Two anchors, two cells: channel by channel, the cells of each side by side. Of anchor 1, cell 1
  // alone is an object.
  const Level level{.anchors = {{16, 8}, {16, 8}}, .stride = 8, .classes = 2};
  std::vector<float> base(2 * 7 * 2, -20.0f);
  for (std::size_t channel = 0; channel < 7; ++channel) base[14 + 2 * channel + 1] = kBase[channel];
  std::vector<float> moved = base;
  moved[14 + 1] = static_cast<float>(std::log(3));
  const Shape shape{1, 14, 1, 2};

  const DetectionError found =
      detection_error(level, {.shape = shape, .values = base}, {.shape = shape, .values = moved});

  EXPECT_THAT(found.weight, DoubleNear(sigmoid(2) * sigmoid(1), kFloatExact));
  EXPECT_THAT(found.box, DoubleNear(sigmoid(2) * sigmoid(1) * (1 - 0.6), kFloatExact));
}

}  // namespace
}  // namespace yoloq::sensitivity
