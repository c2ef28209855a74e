// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "coco/match.h"
#include "coco/metrics.h"

namespace yoloq::coco::detail {

/// How often each image counts.
class ImageCounts {
 public:
  /// @param counts  one per image, or none: each once. Must outlive this.
  explicit ImageCounts(std::span<const std::uint32_t> counts) : counts_(counts) {}

  std::uint32_t of(std::uint32_t image) const { return counts_.empty() ? 1 : counts_[image]; }

 private:
  std::span<const std::uint32_t> counts_;
};

/// How many boxes are to be found, per area range.
std::array<std::uint64_t, kAreas> count_boxes(const std::vector<Truth>& truths,
                                              const ImageCounts& counts);

/// Average precision of one class at each threshold, over all areas and with up to 100 detections
/// per image; none if no box is to be found.
std::optional<std::array<double, kThresholds>> average_precisions(const ClassMatches& matches,
                                                                  const ImageCounts& counts);

/// Fills the curves and recalls of one class.
void draw_curves(const ClassMatches& matches, const ImageCounts& counts, std::size_t category,
                 Curves& curves);

}  // namespace yoloq::coco::detail
