// SPDX-License-Identifier: Apache-2.0
#include "dataset/perspective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

namespace yoloq::dataset {

namespace {

using vision::Matrix3;

constexpr double kLeastSidePx = 2;
constexpr double kMostElongated = 100;
constexpr double kLeastAreaLeft = 0.1;
constexpr double kTiny = 1e-16;  // Keeps a box without area from dividing by zero.

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

Matrix3 operator*(const Matrix3& a, const Matrix3& b) {
  Matrix3 product{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      for (std::size_t i = 0; i < 3; ++i) {
        product[3 * row + column] += a[3 * row + i] * b[3 * i + column];
      }
    }
  }
  return product;
}

/// A point of the plane, seen from `depth` away.
struct Point {
  double x;
  double y;
  double depth;
};

Point moved(double x, double y, const Matrix3& m) {
  const double depth = m[6] * x + m[7] * y + m[8];
  return {(m[0] * x + m[1] * y + m[2]) / depth, (m[3] * x + m[4] * y + m[5]) / depth, depth};
}

/// The box around a box's moved corners, cut at the borders; none if one is behind the viewer.
std::optional<PixelBox> moved(const PixelBox& box, const Matrix3& matrix, vision::Size result) {
  const std::array corners{moved(box.x1, box.y1, matrix), moved(box.x2, box.y2, matrix),
                           moved(box.x1, box.y2, matrix), moved(box.x2, box.y1, matrix)};
  if (std::ranges::min(corners, {}, &Point::depth).depth <= 0) return std::nullopt;
  const auto [left, right] = std::ranges::minmax(corners, {}, &Point::x);
  const auto [top, bottom] = std::ranges::minmax(corners, {}, &Point::y);
  const auto within = [](double value, int side) { return std::clamp(value, 0.0, double(side)); };
  return PixelBox{.class_index = box.class_index,
                  .x1 = within(left.x, result.width),
                  .y1 = within(top.y, result.height),
                  .x2 = within(right.x, result.width),
                  .y2 = within(bottom.y, result.height)};
}

bool is_enough_left(const PixelBox& before, const PixelBox& after, double scale) {
  const double width = after.x2 - after.x1;
  const double height = after.y2 - after.y1;
  const double area = (before.x2 - before.x1) * scale * ((before.y2 - before.y1) * scale);
  const double elongation = std::max(width / (height + kTiny), height / (width + kTiny));
  return width > kLeastSidePx && height > kLeastSidePx &&
         width * height / (area + kTiny) > kLeastAreaLeft && elongation < kMostElongated;
}

}  // namespace

Perspective draw_perspective(const Hyperparameters& hyp, Random& random) {
  Perspective drawn;
  drawn.tilt_x = random.uniform(-hyp.perspective, hyp.perspective);
  drawn.tilt_y = random.uniform(-hyp.perspective, hyp.perspective);
  drawn.angle_degrees = random.uniform(-hyp.degrees, hyp.degrees);
  drawn.scale = random.uniform(1 - hyp.scale, 1 + hyp.scale);
  drawn.shear_x_degrees = random.uniform(-hyp.shear, hyp.shear);
  drawn.shear_y_degrees = random.uniform(-hyp.shear, hyp.shear);
  drawn.centre_x = random.uniform(0.5 - hyp.translate, 0.5 + hyp.translate);
  drawn.centre_y = random.uniform(0.5 - hyp.translate, 0.5 + hyp.translate);
  return drawn;
}

Matrix3 matrix_of(const Perspective& p, vision::Size picture, vision::Size result) {
  const double cosine = p.scale * std::cos(radians(p.angle_degrees));
  const double sine = p.scale * std::sin(radians(p.angle_degrees));
  const Matrix3 to_centre{1, 0, -picture.width / 2.0, 0, 1, -picture.height / 2.0, 0, 0, 1};
  const Matrix3 tilt{1, 0, 0, 0, 1, 0, p.tilt_x, p.tilt_y, 1};
  const Matrix3 turn{cosine, sine, 0, -sine, cosine, 0, 0, 0, 1};
  const Matrix3 shear{
      1, std::tan(radians(p.shear_x_degrees)), 0, std::tan(radians(p.shear_y_degrees)), 1, 0, 0, 0,
      1};
  const Matrix3 to_place{1, 0, p.centre_x * result.width, 0, 1, p.centre_y * result.height, 0,
                         0, 1};
  return to_place * shear * turn * tilt * to_centre;
}

std::vector<PixelBox> move_boxes(std::span<const PixelBox> boxes, const Perspective& perspective,
                                 vision::Size picture, vision::Size result) {
  const Matrix3 matrix = matrix_of(perspective, picture, result);
  std::vector<PixelBox> kept;
  for (const PixelBox& box : boxes) {
    const auto after = moved(box, matrix, result);
    if (after && is_enough_left(box, *after, perspective.scale)) kept.push_back(*after);
  }
  return kept;
}

}  // namespace yoloq::dataset
