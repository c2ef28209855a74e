// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

void require_alike(const Call& call, const Tensor& part, std::size_t axis) {
  const Tensor& first = input(call, 0);
  bool alike = part.dtype() == first.dtype() && part.rank() == first.rank();
  for (std::size_t d = 0; alike && d < first.shape().size(); ++d) {
    alike = d == axis || part.shape()[d] == first.shape()[d];
  }
  if (!alike) {
    contradict(call.node, "inputs of shapes " + to_string(first.shape()) + " and " +
                              to_string(part.shape()) + " cannot be joined");
  }
}

}  // namespace

Tensors concat(const Call& call) {
  const Tensor& first = input(call, 0);
  const std::size_t axis = axis_of(call.node, call.node.integer("axis", 0), first.shape().size());
  Shape shape = first.shape();
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    require_alike(call, input(call, i), axis);
    shape[axis] += input(call, i).shape()[axis];
  }
  const std::size_t width = element_width(first);
  const auto outer = static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis),
                      std::int64_t{1}, std::multiplies()));
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(element_count(shape)) * width);
  for (std::size_t o = 0; o < outer; ++o) {
    for (const Tensor* part : call.inputs) {
      const std::size_t block = part->bytes().size() / outer;
      const auto piece = part->bytes().subspan(o * block, block);
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
  }
  return {Tensor(first.dtype(), shape, bytes)};
}

Tensors expand(const Call& call) {
  const Tensor& x = input(call, 0);
  const Shape shape = broadcast(x.shape(), input(call, 1).to_integers());
  std::vector<AxisIndices> indices;
  const std::size_t lead = shape.size() - x.shape().size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool repeated = d < lead || x.shape()[d - lead] == 1;
    const auto size = static_cast<std::size_t>(shape[d]);
    indices.push_back(repeated ? AxisIndices(size, 0) : every_index(shape[d]));
  }
  Shape padded(shape.size(), 1);
  std::ranges::copy(x.shape(), padded.begin() + static_cast<std::ptrdiff_t>(lead));
  return {selected(x.reshaped(padded), indices)};
}

Tensors flatten(const Call& call) {
  const Tensor& x = input(call, 0);
  const std::int64_t axis = call.node.integer("axis", 1);
  const auto end = axis == x.rank() ? x.shape().size() : axis_of(call.node, axis, x.shape().size());
  Shape front(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(end));
  Shape back(x.shape().begin() + static_cast<std::ptrdiff_t>(end), x.shape().end());
  return {x.reshaped({element_count(front), element_count(back)})};
}

Tensors reshape(const Call& call) {
  const Tensor& x = input(call, 0);
  return {x.reshaped(reshape_target(call.node, x.shape(), integers(call, "shape", 1)))};
}

Tensors squeeze(const Call& call) {
  const Tensor& x = input(call, 0);
  const auto axes = sorted_axes(call.node, integers(call, "axes", 1), x.shape().size());
  Shape shape;
  for (std::int64_t d = 0; d < x.rank(); ++d) {
    const std::int64_t size = x.shape()[static_cast<std::size_t>(d)];
    const bool named = std::ranges::binary_search(axes, d);
    if (named && size != 1) contradict(call.node, "an axis has more than one element");
    if (!named && (size != 1 || !axes.empty())) shape.push_back(size);
  }
  return {x.reshaped(shape)};
}

Tensors tile(const Call& call) {
  const Tensor& x = input(call, 0);
  const auto repeats = input(call, 1).to_integers();
  if (repeats.size() != x.shape().size()) contradict(call.node, "one repeat per axis is expected");
  std::vector<AxisIndices> indices;
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    AxisIndices axis;
    const AxisIndices once = every_index(x.shape()[d]);
    for (std::int64_t r = 0; r < repeats[d]; ++r) axis.insert(axis.end(), once.begin(), once.end());
    indices.push_back(std::move(axis));
  }
  return {selected(x, indices)};
}

Tensors transpose(const Call& call) {
  const Tensor& x = input(call, 0);
  return {transposed(x, permutation_of(call.node, x.shape().size()))};
}

Tensors unsqueeze(const Call& call) {
  const Tensor& x = input(call, 0);
  const auto given = integers(call, "axes", 1);
  const std::size_t rank = x.shape().size() + given.size();
  Shape shape = x.shape();
  for (const std::int64_t axis : sorted_axes(call.node, given, rank)) {
    shape.insert(shape.begin() + axis, 1);
  }
  return {x.reshaped(shape)};
}

}  // namespace yoloq::graph::detail
