// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "vision/geometry.h"
#include "vision/image.h"

namespace yoloq::vision {

/// A map of the plane: three rows, [x y 1] as a column. The last row is 0 0 1 where parallels stay
/// parallel.
using Matrix3 = std::array<double, 9>;

struct WarpOptions {
  Size size = {.width = 640, .height = 640};  ///< Of the result.
  std::uint8_t grey = 114;                    ///< Where the original has no pixels.
};

/// The image with each of its points moved as `matrix` says, interpolated linearly:
/// cv2.warpAffine(), or cv2.warpPerspective() where the last row is not 0 0 1.
///
/// @throws Error(bad_argument) if the image is empty or a side is not positive.
Image warp(const Image& image, const Matrix3& matrix, const WarpOptions& options = {});

}  // namespace yoloq::vision
