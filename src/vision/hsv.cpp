// SPDX-License-Identifier: Apache-2.0
#include "vision/hsv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

namespace {

constexpr double kHues = 180;
constexpr int kRowsAtOnce = 16;  // What lies between the steps stays in the second-level cache.

/// What each byte becomes, the three channels interleaved as cv::LUT takes them.
cv::Mat table_of(const HsvGains& gains) {
  cv::Mat table(1, 256, CV_8UC3);
  for (int byte = 0; byte < 256; ++byte) {
    const auto level = [byte](double gain) {
      return static_cast<std::uint8_t>(std::min(byte * gain, 255.0));
    };
    table.at<cv::Vec3b>(byte) = {static_cast<std::uint8_t>(std::fmod(byte * gains.hue, kHues)),
                                 level(gains.saturation), level(gains.value)};
  }
  return table;
}

bool is_gain(double gain) { return gain >= 0 && std::isfinite(gain); }

}  // namespace

void scale_hsv(Image& image, const HsvGains& gains) {
  if (image.pixels.empty()) fail(ErrorCode::bad_argument, "an empty image has no colours to scale");
  if (!is_gain(gains.hue) || !is_gain(gains.saturation) || !is_gain(gains.value)) {
    fail(ErrorCode::bad_argument, "gains of hue {}, saturation {}, value {}: expected 0 or more",
         gains.hue, gains.saturation, gains.value);
  }
  const cv::Mat table = table_of(gains);
  cv::Mat pixels = detail::view(image);
  cv::Mat hsv;
  for (int y = 0; y < pixels.rows; y += kRowsAtOnce) {
    cv::Mat rows = pixels.rowRange(y, std::min(y + kRowsAtOnce, pixels.rows));
    cv::cvtColor(rows, hsv, cv::COLOR_BGR2HSV);
    cv::LUT(hsv, table, hsv);
    cv::cvtColor(hsv, rows, cv::COLOR_HSV2BGR);
  }
}

}  // namespace yoloq::vision
