// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

namespace yoloq::coco::detail {

/// Intersection over union of two boxes [x, y, width, height]; over the detection alone where the
/// box is a crowd. 0 where they do not meet; NaN where areas overflow.
///
/// Source: pycocotools, maskApi.c, bbIou: the order of the operations is part of the result.
inline double overlap_of(const std::array<double, 4>& found, double found_area,
                         const std::array<double, 4>& box, double box_area, bool is_crowd) {
  const double width = std::min(found[2] + found[0], box[2] + box[0]) - std::max(found[0], box[0]);
  if (width <= 0) return 0.0;
  const double height = std::min(found[3] + found[1], box[3] + box[1]) - std::max(found[1], box[1]);
  if (height <= 0) return 0.0;
  const double shared = width * height;
  return shared / (is_crowd ? found_area : found_area + box_area - shared);
}

}  // namespace yoloq::coco::detail
