// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

std::vector<AxisIndices> whole(const Shape& shape) {
  std::vector<AxisIndices> indices;
  for (const std::int64_t size : shape) indices.push_back(every_index(size));
  return indices;
}

/// The index inside an axis of `size` elements that stands behind its border.
std::int64_t beyond(std::int64_t index, std::int64_t size, const std::string& mode) {
  if (index >= 0 && index < size) return index;
  if (mode == "edge") return index < 0 ? 0 : size - 1;
  if (mode == "wrap") return ((index % size) + size) % size;
  if (mode != "reflect") return -1;
  return index < 0 ? -index : 2 * (size - 1) - index;
}

}  // namespace

Tensors gather(const Call& call) {
  const Tensor& x = input(call, 0);
  const Tensor& which = input(call, 1);
  const std::size_t axis = axis_of(call.node, call.node.integer("axis", 0), x.shape().size());
  const std::int64_t size = x.shape()[axis];
  auto indices = whole(x.shape());
  indices[axis].clear();
  for (std::int64_t index : which.to_integers()) {
    if (index < 0) index += size;
    if (index < 0 || index >= size) contradict(call.node, "an index lies outside its input");
    indices[axis].push_back(index);
  }
  Shape shape = x.shape();
  const auto place = shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(place, which.shape().begin(), which.shape().end());
  return {selected(x, indices).reshaped(shape)};
}

Tensors pad(const Call& call) {
  const Tensor& x = input(call, 0);
  const std::string mode = call.node.text("mode", "constant");
  const auto given = integers(call, "pads", 1);
  const Tensor* chosen = optional_input(call, 3);
  auto axes = chosen == nullptr ? every_index(x.rank()) : chosen->to_integers();
  if (given.size() != axes.size() * 2) contradict(call.node, "two pads per axis are expected");

  auto indices = whole(x.shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_of(call.node, axes[i], x.shape().size());
    const std::int64_t size = x.shape()[axis];
    const std::int64_t widest = std::max(std::abs(given[i]), std::abs(given[axes.size() + i]));
    if (widest > kWidestPad) contradict(call.node, "a pad is out of range");
    indices[axis].clear();
    for (std::int64_t at = -given[i]; at < size + given[axes.size() + i]; ++at) {
      const std::int64_t from = size == 0 ? -1 : beyond(at, size, mode);
      if (from >= size) contradict(call.node, "a reflected pad is wider than its input");
      indices[axis].push_back(from);
    }
  }
  const Tensor* fill = optional_input(call, 2);
  const Tensor value = Tensor::scalar(call.node.real("value", 0.0f));
  if (fill == nullptr && x.dtype() == DType::f32) fill = &value;
  return {selected(x, indices, fill)};
}

Tensors scatter_nd(const Call& call) {
  const Tensor& x = input(call, 0);
  const Tensor& indices = input(call, 1);
  const Tensor& updates = input(call, 2);
  if (call.node.text("reduction", "none") != "none") not_covered(call.node, "reduction");
  const auto depth = indices.rank() == 0 ? 0 : indices.shape().back();
  if (depth < 1 || depth > x.rank()) contradict(call.node, "indices are deeper than the data");

  const Shape strides = strides_of(x.shape());
  const auto numbers = indices.to_integers();
  const std::size_t count = numbers.size() / static_cast<std::size_t>(depth);
  const std::int64_t slice = strides[static_cast<std::size_t>(depth) - 1];
  const std::size_t width = element_width(x) * static_cast<std::size_t>(slice);
  if (updates.dtype() != x.dtype() || updates.bytes().size() != count * width) {
    contradict(call.node, "updates do not fit indices and data");
  }
  if (slice == 0) return {x};
  std::vector<std::byte> bytes(x.bytes().begin(), x.bytes().end());
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < static_cast<std::size_t>(depth); ++d) {
      std::int64_t index = numbers[i * static_cast<std::size_t>(depth) + d];
      if (index < 0) index += x.shape()[d];
      if (index < 0 || index >= x.shape()[d]) contradict(call.node, "an index lies outside");
      offset += index * strides[d];
    }
    const auto to = static_cast<std::size_t>(offset / slice) * width;
    std::memcpy(bytes.data() + to, updates.bytes().data() + i * width, width);
  }
  return {Tensor(x.dtype(), x.shape(), bytes)};
}

Tensors slice(const Call& call) {
  const Tensor& x = input(call, 0);
  const auto arguments = completed(call.node,
                                   {.starts = integers(call, "starts", 1),
                                    .ends = integers(call, "ends", 2),
                                    .axes = integers(call, "axes", 3),
                                    .steps = integers(call, "", 4)},
                                   x.shape().size());
  auto indices = whole(x.shape());
  for (std::size_t i = 0; i < arguments.axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(arguments.axes[i]);
    const AxisSlice part =
        slice_of(x.shape()[axis], arguments.starts[i], arguments.ends[i], arguments.steps[i]);
    indices[axis].clear();
    for (std::int64_t k = 0; k < part.count; ++k)
      indices[axis].push_back(part.first + k * part.step);
  }
  return {selected(x, indices)};
}

Tensors split(const Call& call) {
  const Tensor& x = input(call, 0);
  const std::size_t axis = axis_of(call.node, call.node.integer("axis", 0), x.shape().size());
  const auto sizes = split_sizes(call.node, x.shape()[axis], integers(call, "split", 1));
  Tensors parts;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    auto indices = whole(x.shape());
    indices[axis] = every_index(size);
    for (auto& index : indices[axis]) index += begin;
    begin += size;
    parts.push_back(selected(x, indices));
  }
  return parts;
}

}  // namespace yoloq::graph::detail
