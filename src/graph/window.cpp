// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/window.h"

#include <algorithm>

#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"

namespace yoloq::graph::detail {

namespace {

constexpr std::int64_t kLargest = 1 << 20;  // Keeps all sums far from overflow.

void check(const Node& node, const WindowAxis& axis) {
  const bool sound = axis.kernel >= 1 && axis.stride >= 1 && axis.dilation >= 1 &&
                     std::max({axis.kernel, axis.stride, axis.dilation}) <= kLargest &&
                     std::abs(axis.pad_begin) <= kLargest && std::abs(axis.pad_end) <= kLargest;
  if (!sound) contradict(node, "kernel, stride, dilation or padding is out of range");
}

}  // namespace

std::int64_t WindowAxis::positions(std::int64_t size) const {
  if (same) return (size + stride - 1) / stride;
  const std::int64_t room = size + pad_begin + pad_end - extent();
  if (room < 0) return 0;
  const std::int64_t count = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
  const bool starts_in_padding = ceil && (count - 1) * stride >= size + pad_begin;
  return starts_in_padding ? count - 1 : count;
}

std::int64_t WindowAxis::padding_before(std::int64_t size) const {
  if (!same) return pad_begin;
  const std::int64_t all =
      std::max<std::int64_t>((positions(size) - 1) * stride + extent() - size, 0);
  return same_upper ? all / 2 : (all + 1) / 2;
}

Dim WindowAxis::positions(const Dim& dim) const {
  if (dim.known()) return Dim::fixed(positions(dim.size));
  if (dim.symbol.empty() || ceil) return {};
  if (same) return quotient(dim, stride - 1, stride);
  return quotient(dim, pad_begin + pad_end - extent() + stride, stride);
}

std::vector<WindowAxis> window_of(const Node& node, std::span<const std::int64_t> kernel) {
  std::vector<std::int64_t> sizes = node.integers("kernel_shape");
  if (sizes.empty()) sizes.assign(kernel.begin(), kernel.end());
  const std::size_t rank = sizes.size();
  const auto strides = integers_or(node, "strides", rank, 1);
  const auto dilations = integers_or(node, "dilations", rank, 1);
  const auto pads = integers_or(node, "pads", rank * 2, 0);
  const std::string mode = node.text("auto_pad", "NOTSET");
  const bool explicit_pads = mode == "NOTSET" || mode.empty();

  std::vector<WindowAxis> axes;
  for (std::size_t i = 0; i < rank; ++i) {
    axes.push_back({.kernel = sizes[i],
                    .stride = strides[i],
                    .dilation = dilations[i],
                    .pad_begin = explicit_pads ? pads[i] : 0,
                    .pad_end = explicit_pads ? pads[rank + i] : 0,
                    .same = mode == "SAME_UPPER" || mode == "SAME_LOWER",
                    .same_upper = mode == "SAME_UPPER",
                    .ceil = node.integer("ceil_mode", 0) != 0});
    check(node, axes.back());
  }
  return axes;
}

}  // namespace yoloq::graph::detail
