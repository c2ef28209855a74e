// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "core/random.h"
#include "vision/polygon.h"

namespace yoloq::dataset::detail {

/// Corners of a shape around (0, 0), none further away than 1, at least one at 1.
using Outline = std::vector<vision::Point>;

/// A kind of shape. Its proportions vary a little from call to call.
struct ShapeKind {
  std::string_view name;
  Outline (*outline)(Random& random);
};

/// All kinds, by class.
const std::vector<ShapeKind>& shape_kinds();

/// What no class is: a round thing with bumps.
Outline blob(Random& random);

/// Where and how an outline lies in an image.
struct Placement {
  vision::Point centre = {};
  float radius = 1;  ///< Pixels.
  float angle = 0;   ///< Radians.
};

Outline place(const Outline& outline, const Placement& placement);

}  // namespace yoloq::dataset::detail
