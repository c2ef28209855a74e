// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace yoloq::graph::detail {

/// How a kernel slides along one axis, in elements.
struct WindowAxis {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  bool same = false;       ///< Output is ceil(size / stride), whatever the padding.
  bool same_upper = true;  ///< With `same`: the odd element of padding stands at the end.
  bool ceil = false;       ///< Round the output up (pooling's ceil_mode).

  std::int64_t extent() const { return dilation * (kernel - 1) + 1; }

  /// Positions of the window along an axis of `size` elements.
  std::int64_t positions(std::int64_t size) const;

  /// Elements of padding before an axis of `size` elements.
  std::int64_t padding_before(std::int64_t size) const;

  /// The same for a size that is only known by name; an unknown Dim where it has no name.
  Dim positions(const Dim& dim) const;
};

/// The axes of Conv and the pools, from the attributes kernel_shape, strides, pads, dilations,
/// auto_pad and ceil_mode. `kernel` is the filter's shape where the node gives none.
///
/// @throws Error(corrupt_file) if an attribute has the wrong count or a number that cannot be.
std::vector<WindowAxis> window_of(const Node& node, std::span<const std::int64_t> kernel);

}  // namespace yoloq::graph::detail
