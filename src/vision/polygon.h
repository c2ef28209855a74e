// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vision/geometry.h"
#include "vision/image.h"

/// @file
/// Filled polygons with soft edges. Written out here, not left to OpenCV, so that made-up images
/// are the same with every version of it.

namespace yoloq::vision {

/// In pixels; the pixel in column 0 and row 0 reaches from (0, 0) to (1, 1).
struct Point {
  float x = 0;
  float y = 0;

  friend bool operator==(const Point&, const Point&) = default;
};

/// Blue, green, red.
using Colour = std::array<std::uint8_t, 3>;

/// How much of each pixel a polygon covers, for the part of it that lies inside an image.
struct Coverage {
  int left = 0;  ///< Column of the first.
  int top = 0;   ///< Row of the first.
  Size size = {};
  std::vector<float> share = {};  ///< [height, width], 0 to 1.

  float at(int row, int column) const {
    return share[static_cast<std::size_t>(row) * static_cast<std::size_t>(size.width) +
                 static_cast<std::size_t>(column)];
  }
};

/// The polygon through `corners`, closed, by the even-odd rule: exact along rows, in quarters of a
/// pixel down columns. Empty if nothing of it is inside.
Coverage coverage_of(std::span<const Point> corners, Size image);

/// The smallest box around the corners, which may lie outside of the image.
Rect bounds_of(std::span<const Point> corners);

/// Square pixels within a polygon that does not cross itself, inside the image or not.
double area_of(std::span<const Point> corners);

/// Mixes `colour` into the image where the polygon covers it.
void blend(Image& image, const Coverage& coverage, const Colour& colour);

}  // namespace yoloq::vision
