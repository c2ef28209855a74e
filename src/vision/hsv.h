// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vision/image.h"

namespace yoloq::vision {

/// Factors of hue, saturation and value; 1 leaves one as it is.
struct HsvGains {
  double hue = 1;
  double saturation = 1;
  double value = 1;

  friend bool operator==(const HsvGains&, const HsvGains&) = default;
};

/// Multiplies hue (round the circle), saturation and value (up to full) of each pixel, in OpenCV's
/// 8-bit HSV, whose hue has 180 steps. Gains of 1 change pixels, too: the way to HSV and back
/// rounds.
///
/// Source: augment_hsv() of Ultralytics' utils/augmentations.py.
///
/// @throws Error(bad_argument) if the image is empty or a gain is negative or not finite.
void scale_hsv(Image& image, const HsvGains& gains);

}  // namespace yoloq::vision
