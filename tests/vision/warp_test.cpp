// SPDX-License-Identifier: Apache-2.0
#include "vision/warp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "vision/first_channel.h"
#include "vision/resize.h"

namespace yoloq::vision {
namespace {

using testing::ElementsAre;

/// A row of greys.
Image row(const std::vector<std::uint8_t>& values) {
  Image image{.size = {static_cast<int>(values.size()), 1}};
  for (const std::uint8_t value : values) image.pixels.insert(image.pixels.end(), 3, value);
  return image;
}

TEST(Warp, MovesPixelsAndFillsWithGrey) {
  const Matrix3 two_to_the_right{1, 0, 2, 0, 1, 0, 0, 0, 1};

  const Image warped = warp(row({10, 20, 30}), two_to_the_right, {.size = {4, 1}});

  EXPECT_THAT(test::first_channel(warped), ElementsAre(114, 114, 10, 20));
}

TEST(Warp, OfATiltThatMovesNothingIsTheImage) {
  const Matrix3 twice_everything{2, 0, 0, 0, 2, 0, 0, 0, 2};  // The same map, but not affine.

  const Image warped = warp(row({10, 20, 30}), twice_everything, {.size = {3, 1}});

  EXPECT_THAT(test::first_channel(warped), ElementsAre(10, 20, 30));
}

TEST(Warp, RefusesWhatHasNoPixels) {
  const Matrix3 still{1, 0, 0, 0, 1, 0, 0, 0, 1};

  EXPECT_THROW(warp({}, still), Error);
  EXPECT_THROW(warp(row({1}), still, {.size = {0, 4}}), Error);
}

TEST(Resize, TakesTheMeanOfWhatAPixelCovers) {
  const Image image = row({0, 10, 20, 30, 100, 200, 40, 60});

  EXPECT_THAT(test::first_channel(resize(image, {2, 1}, Interpolation::area)),
              ElementsAre(15, 100));
  // Between the two pixels in the middle of the four: (10 + 20) / 2, (200 + 40) / 2.
  EXPECT_THAT(test::first_channel(resize(image, {2, 1}, Interpolation::linear)),
              ElementsAre(15, 120));
}

TEST(Resize, RefusesWhatHasNoPixels) {
  EXPECT_THROW(resize({}, {2, 2}, Interpolation::area), Error);
  EXPECT_THROW(resize(row({1}), {2, 0}, Interpolation::linear), Error);
}

}  // namespace
}  // namespace yoloq::vision
