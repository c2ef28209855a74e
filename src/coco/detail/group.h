// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coco/annotations.h"
#include "coco/detail/id_index.h"
#include "coco/detections.h"
#include "coco/match.h"

namespace yoloq::coco::detail {

/// One detection on its way through matching.
struct Entry {
  double score = 0.0;
  std::uint32_t image = 0;
  std::uint32_t detection = 0;  ///< Index in the input.
};

/// One ground truth box with the index of its image.
struct PlacedBox {
  std::uint32_t image = 0;
  const Box* box = nullptr;
};

/// Values sorted into classes, in the order of the file within one.
template <typename T>
struct Grouped {
  std::vector<T> values;
  std::vector<std::size_t> begins;  ///< [K + 1]
  std::size_t unknown_category = 0;

  std::span<T> of(std::size_t category) {
    return std::span(values).subspan(begins[category], begins[category + 1] - begins[category]);
  }
};

/// Which images and classes are evaluated.
struct Scope {
  IdIndex known_images;
  IdIndex images;  ///< A subset of the known ones.
  IdIndex categories;
};

/// @throws Error(bad_argument) if an image that the options ask for is not known.
Scope scope_of(const Annotations& annotations, const Options& options);

/// The detections of each class.
///
/// @throws Error(bad_argument) if a detection's image is not known or its score is NaN.
Grouped<Entry> group_detections(std::span<const Detection> detections, const Scope& scope);

/// The boxes of each class; those of unknown images or classes are left out.
Grouped<PlacedBox> group_boxes(const std::vector<Box>& boxes, const Scope& scope);

}  // namespace yoloq::coco::detail
