// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/random.h"
#include "vision/image.h"
#include "vision/polygon.h"

namespace yoloq::dataset::detail {

/// Any colour, also dark and grey ones.
vision::Colour random_colour(Random& random);

/// A square image of one texture (plain, gradient, stripes, squares or clouds) with lines and blobs
/// on it that belong to no class.
vision::Image draw_background(int side, Random& random);

/// Adds noise to every pixel, as a camera in the dark, of a strength that is drawn first and may be
/// nothing.
void add_noise(vision::Image& image, Random& random);

}  // namespace yoloq::dataset::detail
