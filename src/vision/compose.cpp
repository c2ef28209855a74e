// SPDX-License-Identifier: Apache-2.0
#include "vision/compose.h"

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

namespace {

constexpr std::size_t kChannels = 3;

/// Where a pixel begins.
std::size_t offset(const Image& image, int x, int y) {
  return (static_cast<std::size_t>(y) * image.size.width + x) * kChannels;
}

/// What each byte contributes at a weight.
std::array<double, 256> products(double weight) {
  std::array<double, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = static_cast<double>(byte) * weight;
  }
  return table;
}

}  // namespace

Image grey_image(Size size, std::uint8_t grey) {
  if (size.width <= 0 || size.height <= 0) {
    fail(ErrorCode::bad_argument, "an image of {} x {} pixels", size.width, size.height);
  }
  const auto area = static_cast<std::size_t>(size.width) * size.height;
  return {.size = size, .pixels = std::vector<std::uint8_t>(area * kChannels, grey)};
}

void paste(Image& canvas, const Image& image, int left, int top) {
  const int x1 = std::max(left, 0);
  const int x2 = std::min(left + image.size.width, canvas.size.width);
  const int y1 = std::max(top, 0);
  const int y2 = std::min(top + image.size.height, canvas.size.height);
  if (x1 >= x2) return;
  const std::size_t bytes = static_cast<std::size_t>(x2 - x1) * kChannels;
  for (int y = y1; y < y2; ++y) {
    const std::uint8_t* const row = image.pixels.data() + offset(image, x1 - left, y - top);
    std::copy_n(row, bytes, canvas.pixels.data() + offset(canvas, x1, y));
  }
}

void blend(Image& image, const Image& other, double weight) {
  if (image.size != other.size || !(weight >= 0 && weight <= 1)) {
    fail(ErrorCode::bad_argument, "cannot blend {} x {} with {} x {} pixels at a weight of {}",
         image.size.width, image.size.height, other.size.width, other.size.height, weight);
  }
  const auto own = products(weight);
  const auto others = products(1 - weight);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(own[image.pixels[i]] + others[other.pixels[i]]);
  }
}

void write_planes(std::span<std::uint8_t> planes, const Image& image, Flip flip) {
  const auto [width, height] = image.size;
  const std::size_t area = static_cast<std::size_t>(width) * height;
  if (image.pixels.empty() || planes.size() != kChannels * area) {
    fail(ErrorCode::bad_argument, "planes of 3 x {} x {} have {} elements, not {}", height, width,
         kChannels * area, planes.size());
  }
  const cv::Mat bgr = detail::view(image);
  const int rows = flip.up_down ? 1 : height;  // At once: OpenCV parts colours, but turns nothing.
  for (int y = 0; y < height; y += rows) {
    const int from = flip.up_down ? height - 1 - y : y;
    std::uint8_t* const red = planes.data() + static_cast<std::size_t>(y) * width;
    std::array<cv::Mat, 3> parted;
    for (std::size_t c = 0; c < kChannels; ++c) {
      parted[2 - c] = cv::Mat(rows, width, CV_8UC1, red + c * area);
    }
    cv::split(bgr.rowRange(from, from + rows), parted.data());
  }
  if (!flip.left_right) return;
  cv::Mat all(static_cast<int>(kChannels) * height, width, CV_8UC1, planes.data());
  cv::flip(all, all, 1);
}

}  // namespace yoloq::vision
