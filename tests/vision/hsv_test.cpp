// SPDX-License-Identifier: Apache-2.0
#include "vision/hsv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"

namespace yoloq::vision {
namespace {

using testing::ElementsAre;

std::vector<std::uint8_t> scaled(std::vector<std::uint8_t> bgr, const HsvGains& gains) {
  Image image{.size = {1, 1}, .pixels = std::move(bgr)};
  scale_hsv(image, gains);
  return image.pixels;
}

TEST(ScaleHsv, DimsAndStopsAtFullBrightness) {
  EXPECT_THAT(scaled({100, 100, 100}, {.value = 0.5}), ElementsAre(50, 50, 50));
  EXPECT_THAT(scaled({200, 200, 200}, {.value = 2}), ElementsAre(255, 255, 255));
}

TEST(ScaleHsv, TakesColourOutWithSaturation) {
  EXPECT_THAT(scaled({0, 0, 200}, {.saturation = 0}), ElementsAre(200, 200, 200));
}

TEST(ScaleHsv, TurnsHueRoundTheCircle) {
  // Green is 60 of 180 steps: twice that is blue, three times is red again.
  EXPECT_THAT(scaled({0, 255, 0}, {.hue = 2}), ElementsAre(255, 0, 0));
  EXPECT_THAT(scaled({0, 255, 0}, {.hue = 3}), ElementsAre(0, 0, 255));
}

TEST(ScaleHsv, RefusesGainsThatAreNone) {
  EXPECT_THROW(scaled({1, 2, 3}, {.hue = -0.1}), Error);
  EXPECT_THROW(scaled({1, 2, 3}, {.value = std::numeric_limits<double>::infinity()}), Error);
  Image empty;
  EXPECT_THROW(scale_hsv(empty, {}), Error);
}

}  // namespace
}  // namespace yoloq::vision
