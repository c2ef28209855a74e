// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vision/geometry.h"
#include "vision/image.h"

namespace yoloq::vision {

/// How a pixel is made from those of the original.
enum class Interpolation {
  linear,  ///< From its four neighbours: cv2.INTER_LINEAR.
  area,    ///< From all that it covers; for shrinking: cv2.INTER_AREA.
};

/// The image in another size, its proportions changed where the size asks for it.
///
/// @throws Error(bad_argument) if the image is empty or a side is not positive.
Image resize(const Image& image, Size size, Interpolation interpolation);

}  // namespace yoloq::vision
