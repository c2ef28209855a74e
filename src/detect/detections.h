// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "vision/geometry.h"

/// @file
/// From the numbers of a detection head to boxes:
///
///     head outputs -> decode -> candidates -> suppress -> boxes on the canvas -> to_original ->
///     boxes
///
/// find_head() says which outputs of a model these are and how to read them.

namespace yoloq::detect {

/// One detected object.
struct Box {
  float x1 = 0;  ///< Pixels, of the original image unless said otherwise; (x1, y1) is top left.
  float y1 = 0;
  float x2 = 0;
  float y2 = 0;
  float confidence = 0;  ///< 0 to 1.
  int class_index = 0;

  friend bool operator==(const Box&, const Box&) = default;
};

/// The boxes of one image, the surest first.
using Boxes = std::vector<Box>;

/// A box that the head proposes, before overlapping ones are removed.
struct Candidate {
  vision::Rect box = {};  ///< Pixels of the canvas.
  float confidence = 0;   ///< Objectness times class probability.
  int class_index = 0;
  std::uint32_t row = 0;  ///< Place in the head: levels, then anchors, rows and columns of cells.

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

}  // namespace yoloq::detect
