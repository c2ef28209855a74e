// SPDX-License-Identifier: Apache-2.0
#include "vision/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"

namespace yoloq::vision {
namespace {

Image grey(Size size) {
  return {.size = size,
          .pixels = std::vector<std::uint8_t>(
              static_cast<std::size_t>(size.width) * size.height * 3, 114)};
}

std::array<std::uint8_t, 3> pixel(const Image& image, int x, int y) {
  const std::size_t at = (static_cast<std::size_t>(y) * image.size.width + x) * 3;
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

TEST(Draw, OutlinesTheBoxInTheColourOfItsClass) {
  Image image = grey({100, 80});
  const std::vector<Mark> marks{{.box = {20, 30, 60, 70}, .class_index = 3}};

  draw(image, marks);

  EXPECT_EQ(pixel(image, 20, 50), colour_of(3));
  EXPECT_EQ(pixel(image, 60, 50), colour_of(3));
  EXPECT_EQ(pixel(image, 40, 30), colour_of(3));
  EXPECT_EQ(pixel(image, 40, 70), colour_of(3));
  EXPECT_EQ(pixel(image, 40, 50), pixel(grey({1, 1}), 0, 0));
  EXPECT_EQ(pixel(image, 5, 5), pixel(grey({1, 1}), 0, 0));
}

TEST(Draw, WritesTheTextOnAPlateAboveTheBox) {
  Image image = grey({200, 120});
  const std::vector<Mark> marks{
      {.box = {20, 50, 160, 110}, .class_index = 0, .text = "person 0.87"}};

  draw(image, marks);

  int plate = 0;
  int ink = 0;
  for (int y = 30; y < 49; ++y) {
    for (int x = 20; x < 60; ++x) {
      const auto colour = pixel(image, x, y);
      if (colour == colour_of(0)) ++plate;
      if (std::ranges::min(colour) > 180) ++ink;  // White letters, their edges blended.
    }
  }
  EXPECT_GT(plate, 100);
  EXPECT_GT(ink, 10);
}

TEST(Draw, StaysInsideTheImageWhateverTheBox) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Image image = grey({40, 30});
  const std::vector<Mark> marks{
      {.box = {-1e9f, -1e9f, 1e9f, 1e9f}, .class_index = 79, .text = "traffic light 1.00"},
      {.box = {NAN, -kInfinity, kInfinity, NAN}, .class_index = 1, .text = "odd"},
      {.box = {39, 29, 39, 29}, .class_index = 2, .text = "corner"}};

  draw(image, marks);

  EXPECT_EQ(image.pixels.size(), 40u * 30u * 3u);
  EXPECT_NE(image, grey({40, 30}));
}

TEST(Draw, ColoursOfEightyClassesDiffer) {
  std::set<std::array<std::uint8_t, 3>> colours;
  for (int i = 0; i < 80; ++i) colours.insert(colour_of(i));

  EXPECT_EQ(colours.size(), 80u);
}

TEST(Draw, RefusesAnEmptyImage) {
  Image image;

  EXPECT_THROW(draw(image, {}), Error);
}

}  // namespace
}  // namespace yoloq::vision
