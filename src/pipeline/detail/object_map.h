// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"

namespace yoloq::pipeline::detail {

/// The channel of an anchor that holds its objectness, behind x, y, w and h.
constexpr std::int64_t kObjectness = 4;

/// One head's convolution output for one image: [A * (5 + classes), H, W] logits.
struct HeadLogits {
  std::int64_t anchors = 0;
  std::int64_t classes = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::span<const float> values;
  bool only_objectness = false;  ///< The values are [A, H, W], of each anchor just that.
};

/// Where in an image a detector sees objects, on the grid of its finest head.
class ObjectMap {
 public:
  /// Takes at each cell the largest objectness of all anchors of all heads.
  explicit ObjectMap(std::span<const HeadLogits> heads);

  /// The places (row * width + column, ascending) of a [height, width] map that lie in a cell with
  /// an objectness above `threshold`, or that hold such a cell where the map is coarser.
  std::vector<std::uint32_t> places(std::int64_t height, std::int64_t width, float threshold) const;

 private:
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::vector<float> logits_;  // [height_, width_]
};

}  // namespace yoloq::pipeline::detail
