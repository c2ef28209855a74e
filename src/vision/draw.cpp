// SPDX-License-Identifier: Apache-2.0
#include "vision/draw.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

namespace {

constexpr double kGoldenAngle = 137.50776405;  // Degrees: any run of hues lies well apart.
constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;

/// One channel of a colour of full hue range. Source: Wikipedia, HSL and HSV, alternative formula.
std::uint8_t channel(double hue_degrees, double saturation, double value, int n) {
  const double k = std::fmod(n + hue_degrees / 60.0, 6.0);
  const double level = value - value * saturation * std::clamp(std::min(k, 4.0 - k), 0.0, 1.0);
  return static_cast<std::uint8_t>(std::lround(level * 255.0));
}

cv::Scalar to_scalar(const std::array<std::uint8_t, 3>& bgr) {
  return cv::Scalar(bgr[0], bgr[1], bgr[2]);
}

/// Black on bright colours, white on dark ones. Weights: ITU-R BT.601.
cv::Scalar ink_on(const std::array<std::uint8_t, 3>& bgr) {
  const double luma = 0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2];
  return luma > 140 ? cv::Scalar(0, 0, 0) : cv::Scalar(255, 255, 255);
}

/// A corner inside the image, whatever the numbers are.
cv::Point corner(float x, float y, Size size) {
  const auto inside = [](float value, int limit) {
    return value > 0 ? static_cast<int>(std::lround(std::min(value, float(limit - 1)))) : 0;
  };
  return {inside(x, size.width), inside(y, size.height)};
}

struct Pen {
  int line;       ///< Width in pixels.
  double scale;   ///< Of the font.
  int thickness;  ///< Of the letters.
};

/// Source of the proportions: Ultralytics' Annotator, line width = mean side / 2 * 0.003.
Pen pen_for(Size size) {
  const int line = std::max(2, static_cast<int>(std::lround((size.width + size.height) * 0.0015)));
  return {.line = line, .scale = std::max(0.5, line / 4.0), .thickness = std::max(1, line - 1)};
}

/// The text on its plate: above the box, or inside it where there is no room above.
void write(cv::Mat& canvas, const Mark& mark, cv::Point at, const Pen& pen) {
  int baseline = 0;
  const cv::Size text = cv::getTextSize(mark.text, kFont, pen.scale, pen.thickness, &baseline);
  const int plate_height = text.height + baseline + 2 * pen.line;
  const int left = std::clamp(at.x, 0, std::max(0, canvas.cols - text.width - 2 * pen.line));
  const int top = at.y >= plate_height ? at.y - plate_height : at.y;
  const auto colour = colour_of(mark.class_index);
  cv::rectangle(canvas, {left, top, text.width + 2 * pen.line, plate_height}, to_scalar(colour),
                cv::FILLED);
  cv::putText(canvas, mark.text, {left + pen.line, top + pen.line + text.height}, kFont, pen.scale,
              ink_on(colour), pen.thickness, cv::LINE_AA);
}

}  // namespace

std::array<std::uint8_t, 3> colour_of(int class_index) {
  const double hue = std::fmod(class_index * kGoldenAngle, 360.0);
  const double value = class_index % 2 == 0 ? 1.0 : 0.75;
  return {channel(hue, 0.8, value, 1), channel(hue, 0.8, value, 3), channel(hue, 0.8, value, 5)};
}

void draw(Image& image, std::span<const Mark> marks) {
  if (image.pixels.empty()) fail(ErrorCode::bad_argument, "cannot draw on an empty image");
  cv::Mat canvas = detail::view(image);
  const Pen pen = pen_for(image.size);
  for (const Mark& mark : marks) {
    const cv::Point top_left = corner(mark.box.x1, mark.box.y1, image.size);
    const cv::Point bottom_right = corner(mark.box.x2, mark.box.y2, image.size);
    cv::rectangle(canvas, top_left, bottom_right, to_scalar(colour_of(mark.class_index)), pen.line);
    if (!mark.text.empty()) write(canvas, mark, top_left, pen);
  }
}

}  // namespace yoloq::vision
