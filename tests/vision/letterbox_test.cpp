// SPDX-License-Identifier: Apache-2.0
#include "vision/letterbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::vision {
namespace {

using testing::ElementsAre;

Image plain(Size size, std::array<std::uint8_t, 3> bgr) {
  Image image{.size = size};
  for (int i = 0; i < size.width * size.height * 3; ++i) image.pixels.push_back(bgr[i % 3]);
  return image;
}

TEST(Letterbox, GivesExactlyTheBytesOfTheReference) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const auto reference = test::read_npz(*data / "reference/yolov5n.640.npz");
  const Image image = read_image(*data / "coco/images/val2017/000000000139.jpg");

  const Letterboxed boxed = letterbox(image, {.size = {640, 640}});

  EXPECT_TRUE(
      std::ranges::equal(boxed.planes, reference.at("letterboxed_rgb_u8").values<std::uint8_t>()));
}

TEST(Letterbox, PartsTheColoursAndPutsRedFirst) {
  const Image image = plain({2, 2}, {10, 20, 30});

  const Letterboxed boxed = letterbox(image, {.size = {2, 2}});

  EXPECT_THAT(boxed.planes, ElementsAre(30, 30, 30, 30, 20, 20, 20, 20, 10, 10, 10, 10));
}

TEST(Letterbox, PutsTheOddRowOfBorderBelow) {
  const Image image = plain({4, 1}, {255, 255, 255});

  const Letterboxed boxed = letterbox(image, {.size = {4, 4}});

  EXPECT_EQ(boxed.placement.top, 1);  // 3 rows of border: round(1.5 - 0.1) above.
  const std::vector<std::uint8_t> rows{114, 255, 114, 114};
  for (std::size_t i = 0; i < boxed.planes.size(); ++i) {
    EXPECT_EQ(boxed.planes[i], rows[i / 4 % 4]) << i;
  }
}

TEST(Letterbox, FloatsAreTheBytesOver255) {
  Image image = plain({5, 3}, {0, 0, 0});
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = 17 * i % 256;
  const LetterboxOptions options{.size = {8, 8}};

  std::vector<float> floats(3 * 8 * 8, -1.0f);
  letterbox_into(std::span(floats), image, options);

  const Letterboxed boxed = letterbox(image, options);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(floats[i], boxed.planes[i] / 255.0f);
}

TEST(Letterbox, LeavesSmallImagesSmallWhenAsked) {
  const Placement placement = place({100, 50}, {.size = {640, 320}, .scale_up = false});

  EXPECT_EQ(placement.resized, (Size{100, 50}));
  EXPECT_EQ(placement.left, 270);
  EXPECT_EQ(placement.top, 135);
}

TEST(Letterbox, RoundsSidesToTheEvenPixelLikePython) {
  // 3 x 400 to 200 x 200: 3 * 0.5 = 1.5 columns become 2, 5 * 0.5 = 2.5 become 2 as well.
  EXPECT_EQ(place({3, 400}, {.size = {200, 200}}).resized, (Size{2, 200}));
  EXPECT_EQ(place({5, 400}, {.size = {200, 200}}).resized, (Size{2, 200}));
}

TEST(Letterbox, KeepsAtLeastOnePixelOfAThinImage) {
  EXPECT_EQ(place({1, 4000}, {.size = {64, 64}}).resized, (Size{1, 64}));
}

TEST(Letterbox, RefusesACanvasOfAnotherSize) {
  std::vector<std::uint8_t> canvas(5);

  EXPECT_THROW(letterbox_into(std::span(canvas), plain({2, 2}, {1, 2, 3}), {}), Error);
  EXPECT_THROW(place({0, 4}, {}), Error);
  EXPECT_THROW(letterbox(plain({2, 2}, {1, 2, 3}), {.size = {-1, 4}}), Error);
}

TEST(ToOriginal, UndoesTheLetterbox) {
  const Placement placement = place({500, 333}, {.size = {640, 640}});  // 1.28 times, 107 above.

  const Rect box = to_original({128, 107 + 64, 256, 107 + 128}, placement);

  EXPECT_NEAR(box.x1, 100, 1e-4);
  EXPECT_NEAR(box.y1, 50, 1e-4);
  EXPECT_NEAR(box.x2, 200, 1e-4);
  EXPECT_NEAR(box.y2, 100, 1e-4);
}

TEST(ToOriginal, CutsAtTheBordersOfTheImage) {
  const Placement placement = place({640, 320}, {.size = {640, 640}});

  const Rect box = to_original({-5, 0, 700, 640}, placement);

  EXPECT_EQ(box, (Rect{0, 0, 640, 320}));
}

}  // namespace
}  // namespace yoloq::vision
