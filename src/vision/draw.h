// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "vision/geometry.h"
#include "vision/image.h"

namespace yoloq::vision {

/// A box to draw with what to write on it.
struct Mark {
  Rect box = {};          ///< Pixels of the image; what lies outside is cut.
  int class_index = 0;    ///< Chooses the colour.
  std::string text = {};  ///< "person 0.87"; nothing is written if empty.
};

/// Blue, green and red of a class: neighbouring classes differ clearly, and a class has the same
/// colour in every image.
std::array<std::uint8_t, 3> colour_of(int class_index);

/// Draws the marks in their order, later ones on top: line width and letters grow with the image;
/// the text stands on a plate of the box's colour, black or white, whichever reads better.
///
/// @throws Error(bad_argument) if the image is empty.
void draw(Image& image, std::span<const Mark> marks);

}  // namespace yoloq::vision
