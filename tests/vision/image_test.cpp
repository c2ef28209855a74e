// SPDX-License-Identifier: Apache-2.0
#include "vision/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"
#include "support/message.h"
#include "vision/header.h"

namespace yoloq::vision {
namespace {

using test::message_when;
using testing::HasSubstr;

/// 2 x 1: blue, then red.
Image two_pixels() { return {.size = {2, 1}, .pixels = {255, 0, 0, 0, 0, 255}}; }

/// A smooth picture that JPEG keeps nearly as it is.
Image gradient(Size size) {
  Image image{.size = size};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (const int value : {2 * x, 3 * y, x + y}) {
        image.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

/// `jpeg` with an EXIF block that holds nothing but the orientation.
std::string with_orientation(const std::string& jpeg, char orientation) {
  const std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0"
      "MM\0\x2A\0\0\0\x08"
      "\0\x01\x01\x12\0\x03\0\0\0\x01\0",
      4 + 6 + 8 + 11);
  return jpeg.substr(0, 2) + exif + orientation + std::string(6, '\0') + jpeg.substr(2);
}

TEST(Image, SurvivesAPngUnchanged) {
  const test::TemporaryFolder folder;

  write_image(folder / "a.png", two_pixels());

  EXPECT_EQ(read_image(folder / "a.png"), two_pixels());
  EXPECT_EQ(image_size(folder / "a.png"), (Size{2, 1}));
}

// Orientation 1 leaves an image as it is; a JPEG with any EXIF block is decoded by OpenCV.
TEST(Image, HasThePixelsThatOpenCvGives) {
  const test::TemporaryFolder folder;
  write_image(folder / "a.jpg", gradient({47, 33}));
  const std::string jpeg = read_file(folder / "a.jpg");

  EXPECT_EQ(decode_image(jpeg, "a.jpg"), decode_image(with_orientation(jpeg, 1), "b.jpg"));
}

TEST(Image, OfRealFilesHasThePixelsThatOpenCvGives) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  constexpr int kImages = 40;
  int images = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data / "coco/images/val2017")) {
    const std::string jpeg = read_file(entry.path());
    if (jpeg.find("Exif") != std::string::npos) continue;
    EXPECT_TRUE(decode_image(jpeg, "") == decode_image(with_orientation(jpeg, 1), ""))
        << entry.path();
    if (++images == kImages) break;
  }
  EXPECT_GT(images, 0);
}

TEST(Image, IsTurnedUprightAsItsExifSays) {
  const test::TemporaryFolder folder;
  write_image(folder / "a.jpg", gradient({48, 16}));
  const std::string jpeg = read_file(folder / "a.jpg");
  const Image stored = decode_image(jpeg, "a.jpg");

  const Image half_turn = decode_image(with_orientation(jpeg, 3), "b.jpg");
  const Image quarter_turn = decode_image(with_orientation(jpeg, 6), "c.jpg");

  EXPECT_EQ(half_turn.size, (Size{48, 16}));
  EXPECT_EQ(half_turn.pixels[0], stored.pixels[stored.pixels.size() - 3]);
  ASSERT_EQ(quarter_turn.size, (Size{16, 48}));
  // Orientation 6: turn clockwise, so that the bottom left pixel becomes the top left one.
  EXPECT_EQ(quarter_turn.pixels[0], stored.pixels[15 * 48 * 3]);
}

TEST(Image, TheHeaderKnowsTheUprightSize) {
  const test::TemporaryFolder folder;
  write_image(folder / "a.jpg", gradient({48, 16}));
  const std::string jpeg = read_file(folder / "a.jpg");

  for (char orientation = 1; orientation <= 8; ++orientation) {
    const std::string turned = with_orientation(jpeg, orientation);
    const auto header = read_header(turned);

    ASSERT_TRUE(header);
    EXPECT_EQ(header->orientation, orientation);
    EXPECT_EQ(header->upright(), decode_image(turned, "turned").size);
  }
}

TEST(Image, OtherFormatsAreMeasuredByDecoding) {
  const test::TemporaryFolder folder;
  write_image(folder / "a.bmp", two_pixels());

  EXPECT_EQ(image_size(folder / "a.bmp"), (Size{2, 1}));
}

TEST(Image, WhatDoesNotDecodeIsNamed) {
  const test::TemporaryFolder folder;
  write_image(folder / "whole.jpg", gradient({48, 16}));
  write_image(folder / "whole.png", gradient({48, 16}));
  const std::string jpeg = read_file(folder / "whole.jpg");
  const std::string png = read_file(folder / "whole.png");
  const std::string_view gone = std::string_view(jpeg).substr(0, jpeg.size() - 40);

  EXPECT_THAT(message_when([&] { decode_image("", "empty.jpg"); }), HasSubstr("empty.jpg"));
  EXPECT_THAT(message_when([&] { decode_image("hello", "text.jpg"); }), HasSubstr("text.jpg"));
  EXPECT_THAT(message_when([&] { decode_image(gone, "cut.jpg"); }),
              HasSubstr("its end is missing"));
  EXPECT_THAT(message_when([&] { decode_image(png.substr(0, png.size() / 2), "cut.png"); }),
              HasSubstr("cut.png"));
  EXPECT_THAT(message_when([&] { read_image(folder / "none.jpg"); }), HasSubstr("none.jpg"));
  EXPECT_THAT(message_when([&] { image_size(folder / "none.jpg"); }), HasSubstr("none.jpg"));
}

TEST(Image, EveryPrefixOfAFileIsAnErrorOrAnImage) {
  const test::TemporaryFolder folder;
  write_image(folder / "a.jpg", gradient({48, 16}));
  write_image(folder / "a.png", gradient({48, 16}));

  for (const char* name : {"a.jpg", "a.png"}) {
    const std::string file = read_file(folder / name);
    for (std::size_t size = 0; size < file.size(); ++size) {
      read_header(std::string_view(file).substr(0, size));
      EXPECT_THROW(decode_image(std::string_view(file).substr(0, size), name), Error) << size;
    }
  }
}

TEST(Image, EncodesAJpegThatDecodesToNearlyTheSame) {
  const Image image = gradient({48, 16});

  const Image decoded = decode_image(encode_jpeg(image, 95), "encoded");

  ASSERT_EQ(decoded.size, image.size);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    EXPECT_NEAR(decoded.pixels[i], image.pixels[i], 12) << i;
  }
  EXPECT_LT(encode_jpeg(image, 30).size(), encode_jpeg(image, 95).size());
  EXPECT_THROW(encode_jpeg(Image{}, 80), Error);
}

TEST(Image, BringsTheLongerSideToALengthAndKeepsTheProportions) {
  EXPECT_EQ(resized(gradient({48, 16}), 24).size, (Size{24, 8}));
  EXPECT_EQ(resized(gradient({16, 48}), 24).size, (Size{8, 24}));
  EXPECT_EQ(resized(gradient({48, 1}), 4).size, (Size{4, 1}));
  EXPECT_EQ(resized(gradient({48, 16}), 48), gradient({48, 16}));
  EXPECT_EQ(resized(gradient({16, 48}), 96).size, (Size{32, 96}));
  EXPECT_THROW(resized(gradient({48, 16}), 0), Error);
  EXPECT_THROW(resized(Image{}, 10), Error);
}

TEST(Image, RefusesToWriteWhatItCannot) {
  const test::TemporaryFolder folder;

  EXPECT_THAT(message_when([&] { write_image(folder / "a.doc", two_pixels()); }),
              HasSubstr(".doc"));
  EXPECT_THAT(message_when([&] { write_image(folder / "a.png", Image{}); }), HasSubstr("empty"));
  EXPECT_THAT(message_when([&] { write_image(folder / "no/a.png", two_pixels()); }),
              HasSubstr("no/a.png"));
}

}  // namespace
}  // namespace yoloq::vision
