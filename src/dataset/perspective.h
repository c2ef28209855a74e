// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/random.h"
#include "dataset/hyperparameters.h"
#include "vision/geometry.h"
#include "vision/warp.h"

namespace yoloq::dataset {

/// How a picture is turned, scaled, sheared, tilted and shifted.
struct Perspective {
  double angle_degrees = 0;    ///< Counter-clockwise.
  double scale = 1;            ///< Picture pixels of the result per pixel.
  double shear_x_degrees = 0;  ///< Leans columns.
  double shear_y_degrees = 0;  ///< Leans rows.
  double tilt_x = 0;           ///< Per pixel.
  double tilt_y = 0;           ///< Per pixel.
  double centre_x = 0.5;       ///< Where the picture's centre comes to lie, part of the result.
  double centre_y = 0.5;

  friend bool operator==(const Perspective&, const Perspective&) = default;
};

Perspective draw_perspective(const Hyperparameters& hyperparameters, Random& random);

/// The map from pixels of the picture to pixels of the result: the centre of the picture is the
/// origin of tilt, turn with scale, and shear, in this order; then it is put at its place.
///
/// Source: random_perspective() of Ultralytics' utils/augmentations.py.
vision::Matrix3 matrix_of(const Perspective& perspective, vision::Size picture,
                          vision::Size result);

/// A labelled box on a picture, corners in pixels.
struct PixelBox {
  int class_index = 0;
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;

  friend bool operator==(const PixelBox&, const PixelBox&) = default;
};

/// The boxes around the moved corners of `boxes`, cut at the result's borders, without those of
/// which too little is left: 2 pixels or less in width or height, 100 times or more longer than
/// wide, or at most a tenth of the scaled area. A box that a tilt brings behind the viewer is left
/// out, too; Ultralytics gives it corners from the other side of the picture.
///
/// Source: random_perspective() and box_candidates() of Ultralytics' utils/augmentations.py.
std::vector<PixelBox> move_boxes(std::span<const PixelBox> boxes, const Perspective& perspective,
                                 vision::Size picture, vision::Size result);

}  // namespace yoloq::dataset
