// SPDX-License-Identifier: Apache-2.0
#include "vision/letterbox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

namespace {

/// Python's round(): halves go to the even neighbour, as in the default rounding mode.
int round_half_even(double value) { return static_cast<int>(std::nearbyint(value)); }

constexpr std::uint8_t border(std::uint8_t grey, std::uint8_t) { return grey; }
constexpr float border(std::uint8_t grey, float) { return static_cast<float>(grey) / 255.0f; }

/// A byte / 255, to the last bit but without a division: 1/255 in two parts, the first of so few
/// bits that its product is exact.
constexpr float fraction(std::uint8_t byte) {
  constexpr float kHigh = 0x1.01p-8f;
  constexpr float kLow = 0x1.010102p-24f;
  const auto value = static_cast<float>(byte);
  return value * kHigh + value * kLow;
}

constexpr bool is_exact() {
  for (int byte = 0; byte < 256; ++byte) {
    const float divided = static_cast<float>(byte) / 255.0f;
    if (fraction(static_cast<std::uint8_t>(byte)) != divided) return false;
  }
  return true;
}
static_assert(is_exact());

void write_row(std::span<const std::uint8_t> bytes, std::uint8_t* row) {
  std::ranges::copy(bytes, row);
}

void write_row(std::span<const std::uint8_t> bytes, float* row) {
  for (std::size_t x = 0; x < bytes.size(); ++x) row[x] = fraction(bytes[x]);
}

/// Parts the colours of an image, blue green red, into planes, the red one first. A few rows at a
/// time: what lies between the two steps stays in the first-level cache.
template <typename T>
void write_planes(const cv::Mat& image, const Placement& at, std::array<T*, 3> rgb) {
  constexpr int kRows = 8;
  const auto width = static_cast<std::size_t>(image.cols);
  std::array<cv::Mat, 3> parted;
  for (int y = 0; y < image.rows; y += kRows) {
    const int rows = std::min(kRows, image.rows - y);
    cv::split(image.rowRange(y, y + rows), parted.data());
    for (int i = 0; i < rows; ++i) {
      const auto start = static_cast<std::size_t>(at.top + y + i) * at.canvas.width + at.left;
      for (std::size_t c = 0; c < 3; ++c) {
        write_row(std::span(parted[2 - c].ptr<std::uint8_t>(i), width), rgb[c] + start);
      }
    }
  }
}

template <typename T>
void fill_border(std::span<T> plane, const Placement& at, T grey) {
  const std::size_t width = at.canvas.width;
  const auto begin = plane.begin();
  const std::size_t below = at.top + at.resized.height;
  std::fill(begin, begin + at.top * width, grey);
  std::fill(begin + below * width, plane.end(), grey);
  for (std::size_t y = at.top; y < below; ++y) {
    const auto row = begin + y * width;
    std::fill(row, row + at.left, grey);
    std::fill(row + at.left + at.resized.width, row + width, grey);
  }
}

template <typename T>
Placement fill_canvas(std::span<T> canvas, const Image& image, const LetterboxOptions& options) {
  const Placement at = place(image.size, options);
  const auto area = static_cast<std::size_t>(at.canvas.width) * at.canvas.height;
  if (canvas.size() != 3 * area) {
    fail(ErrorCode::bad_argument, "a canvas of 3 x {} x {} has {} elements, not {}",
         at.canvas.height, at.canvas.width, 3 * area, canvas.size());
  }
  const cv::Mat original = detail::view(image);
  cv::Mat resized = original;
  if (at.resized != at.original) {
    cv::resize(original, resized, {at.resized.width, at.resized.height}, 0, 0, cv::INTER_LINEAR);
  }

  for (std::size_t c = 0; c < 3; ++c) {
    fill_border(canvas.subspan(c * area, area), at, border(options.grey, T{}));
  }
  T* const red = canvas.data();
  write_planes(resized, at, std::array{red, red + area, red + 2 * area});
  return at;
}

}  // namespace

Placement place(Size original, const LetterboxOptions& options) {
  const Size canvas = options.size;
  if (original.width <= 0 || original.height <= 0 || canvas.width <= 0 || canvas.height <= 0) {
    fail(ErrorCode::bad_argument, "cannot letterbox an image of {} x {} pixels to {} x {}",
         original.width, original.height, canvas.width, canvas.height);
  }
  double ratio = std::min(static_cast<double>(canvas.height) / original.height,
                          static_cast<double>(canvas.width) / original.width);
  if (!options.scale_up) ratio = std::min(ratio, 1.0);
  const Size resized = {.width = std::max(1, round_half_even(original.width * ratio)),
                        .height = std::max(1, round_half_even(original.height * ratio))};
  return {.original = original,
          .canvas = canvas,
          .resized = resized,
          .left = round_half_even((canvas.width - resized.width) / 2.0 - 0.1),
          .top = round_half_even((canvas.height - resized.height) / 2.0 - 0.1),
          .ratio = ratio};
}

Rect to_original(const Rect& box, const Placement& placement) {
  const auto ratio = static_cast<float>(placement.ratio);
  const auto back = [ratio](float value, int border, int side) {
    return std::clamp((value - static_cast<float>(border)) / ratio, 0.0f, static_cast<float>(side));
  };
  const auto [width, height] = placement.original;
  return {.x1 = back(box.x1, placement.left, width),
          .y1 = back(box.y1, placement.top, height),
          .x2 = back(box.x2, placement.left, width),
          .y2 = back(box.y2, placement.top, height)};
}

Placement letterbox_into(std::span<float> canvas, const Image& image,
                         const LetterboxOptions& options) {
  return fill_canvas(canvas, image, options);
}

Placement letterbox_into(std::span<std::uint8_t> canvas, const Image& image,
                         const LetterboxOptions& options) {
  return fill_canvas(canvas, image, options);
}

Letterboxed letterbox(const Image& image, const LetterboxOptions& options) {
  Letterboxed result;
  result.planes.resize(3 * static_cast<std::size_t>(std::max(0, options.size.width)) *
                       static_cast<std::size_t>(std::max(0, options.size.height)));
  result.placement = letterbox_into(std::span(result.planes), image, options);
  return result;
}

}  // namespace yoloq::vision
