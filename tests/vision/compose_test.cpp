// SPDX-License-Identifier: Apache-2.0
#include "vision/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "vision/first_channel.h"

namespace yoloq::vision {
namespace {

using testing::Each;
using testing::ElementsAre;

/// One row or more of pixels whose three channels are the same.
Image greys(Size size, const std::vector<std::uint8_t>& values) {
  Image image{.size = size};
  for (const std::uint8_t value : values) image.pixels.insert(image.pixels.end(), 3, value);
  return image;
}

TEST(GreyImage, IsOfOneGrey) {
  EXPECT_THAT(grey_image({3, 2}).pixels, Each(114));
  EXPECT_EQ(grey_image({3, 2}, 7).pixels.size(), 18u);
  EXPECT_THROW(grey_image({0, 2}), Error);
}

TEST(Paste, CutsWhatLiesOutside) {
  const Image image = greys({2, 2}, {1, 2, 3, 4});

  const auto pasted = [&](int left, int top) {
    Image canvas = grey_image({2, 2}, 0);
    paste(canvas, image, left, top);
    return test::first_channel(canvas);
  };

  EXPECT_THAT(pasted(0, 0), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(pasted(1, 1), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(pasted(-1, 0), ElementsAre(2, 0, 4, 0));
  EXPECT_THAT(pasted(1, -1), ElementsAre(0, 3, 0, 0));
  EXPECT_THAT(pasted(2, 0), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(pasted(0, -2), ElementsAre(0, 0, 0, 0));
}

TEST(Blend, CutsToWholeBytes) {
  Image image = greys({3, 1}, {100, 255, 1});

  blend(image, greys({3, 1}, {50, 255, 2}), 0.25);

  // 100 * 0.25 + 50 * 0.75 = 62.5, 255, 1.75.
  EXPECT_THAT(test::first_channel(image), ElementsAre(62, 255, 1));
}

TEST(Blend, RefusesOtherSizesAndWeights) {
  Image image = grey_image({2, 2});

  EXPECT_THROW(blend(image, grey_image({2, 3}), 0.5), Error);
  EXPECT_THROW(blend(image, grey_image({2, 2}), 1.5), Error);
  EXPECT_THROW(blend(image, grey_image({2, 2}), std::numeric_limits<double>::quiet_NaN()), Error);
}

TEST(WritePlanes, PartsColoursAndFlips) {
  const Image image{.size = {2, 2}, .pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  const auto planes = [&](Flip flip) {
    std::vector<std::uint8_t> all(12);
    write_planes(all, image, flip);
    return all;
  };

  EXPECT_THAT(planes({}), ElementsAre(3, 6, 9, 12, 2, 5, 8, 11, 1, 4, 7, 10));
  EXPECT_THAT(planes({.left_right = true}), ElementsAre(6, 3, 12, 9, 5, 2, 11, 8, 4, 1, 10, 7));
  EXPECT_THAT(planes({.up_down = true}), ElementsAre(9, 12, 3, 6, 8, 11, 2, 5, 7, 10, 1, 4));
  EXPECT_THAT(planes({.left_right = true, .up_down = true}),
              ElementsAre(12, 9, 6, 3, 11, 8, 5, 2, 10, 7, 4, 1));
  std::vector<std::uint8_t> too_few(11);
  EXPECT_THROW(write_planes(too_few, image), Error);
}

}  // namespace
}  // namespace yoloq::vision
