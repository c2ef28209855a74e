// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "vision/geometry.h"
#include "vision/image.h"

/// @file
/// Pictures put together from others, pixel by pixel.

namespace yoloq::vision {

/// A picture of one grey.
///
/// @throws Error(bad_argument) if a side is not positive.
Image grey_image(Size size, std::uint8_t grey = 114);

/// Copies the part of `image` that lies on the canvas when its top left corner is put at column
/// `left` and row `top`, either of which may be outside.
void paste(Image& canvas, const Image& image, int left, int top);

/// image * weight + other * (1 - weight), cut to a whole byte.
///
/// Source: mixup() of Ultralytics' utils/augmentations.py.
///
/// @throws Error(bad_argument) if the sizes differ or the weight is outside 0 to 1.
void blend(Image& image, const Image& other, double weight);

/// Which way round an image is looked at.
struct Flip {
  bool left_right = false;
  bool up_down = false;

  friend bool operator==(const Flip&, const Flip&) = default;
};

/// Parts the colours into red, green and blue planes [3, height, width], flipped.
///
/// @throws Error(bad_argument) if `planes` has another size or the image is empty.
void write_planes(std::span<std::uint8_t> planes, const Image& image, Flip flip = {});

}  // namespace yoloq::vision
