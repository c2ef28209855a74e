// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

/// The axes to reduce; all of them where none is named, unless the node says otherwise.
std::vector<std::int64_t> reduced_axes(const Call& call) {
  const std::size_t rank = input(call, 0).shape().size();
  auto axes = sorted_axes(call.node, integers(call, "axes", 1), rank);
  if (!axes.empty() || call.node.integer("noop_with_empty_axes", 0) != 0) return axes;
  return every_index(static_cast<std::int64_t>(rank));
}

/// Folds the elements along the axes, in double, from `start`; `finish(sum, count)` ends each.
template <typename Combine, typename Finish>
Tensors reduced(const Call& call, double start, Combine combine, Finish finish) {
  const Tensor& x = input(call, 0);
  const auto axes = reduced_axes(call);
  Shape kept = x.shape();
  for (const std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
  std::vector<double> sums(static_cast<std::size_t>(element_count(kept)), start);
  const std::size_t per_result = sums.empty() ? 0 : x.size() / sums.size();
  Shape shape;
  for (std::int64_t d = 0; d < x.rank(); ++d) {
    const bool gone = call.node.integer("keepdims", 1) == 0 && std::ranges::binary_search(axes, d);
    if (!gone) shape.push_back(kept[static_cast<std::size_t>(d)]);
  }
  const Tensor wide = as_doubles(x);
  const auto values = wide.values<double>();
  std::size_t next = 0;
  const auto strides = std::array{broadcast_strides(kept, x.shape())};
  for_each_offset<1>(x.shape(), strides, [&](const auto& at) {
    double& sum = sums[static_cast<std::size_t>(at[0])];
    sum = combine(sum, values[next++]);
  });
  for (double& sum : sums) sum = finish(sum, static_cast<double>(per_result));
  return {from_doubles(Tensor::of<double>(shape, sums), x.dtype())};
}

double unchanged(double sum, double) { return sum; }

/// The elements of one row to be normalised, which lie `step` apart.
void softmax_row(float* row, std::size_t size, std::size_t step) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < size; ++i) largest = std::max(largest, row[i * step]);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    row[i * step] = std::exp(row[i * step] - largest);
    sum += row[i * step];
  }
  for (std::size_t i = 0; i < size; ++i) {
    row[i * step] = static_cast<float>(row[i * step] / sum);
  }
}

}  // namespace

Tensors reduce_max(const Call& call) {
  const auto larger = [](double a, double b) { return std::max(a, b); };
  return reduced(call, -std::numeric_limits<double>::infinity(), larger, unchanged);
}

Tensors reduce_min(const Call& call) {
  const auto smaller = [](double a, double b) { return std::min(a, b); };
  return reduced(call, std::numeric_limits<double>::infinity(), smaller, unchanged);
}

Tensors reduce_mean(const Call& call) {
  return reduced(call, 0, std::plus(), [](double sum, double count) { return sum / count; });
}

Tensors reduce_prod(const Call& call) { return reduced(call, 1, std::multiplies(), unchanged); }

Tensors reduce_sum(const Call& call) { return reduced(call, 0, std::plus(), unchanged); }

Tensors arg_max(const Call& call) {
  const Tensor& x = input(call, 0);
  if (call.node.integer("select_last_index", 0) != 0) not_covered(call.node, "select_last_index");
  const std::size_t axis = axis_of(call.node, call.node.integer("axis", 0), x.shape().size());
  const auto size = static_cast<std::size_t>(x.shape()[axis]);
  const auto step = static_cast<std::size_t>(strides_of(x.shape())[axis]);
  Shape shape = x.shape();
  shape[axis] = 1;
  std::vector<std::int64_t> result;
  const auto values = x.values<float>();
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(shape)); ++i) {
    const std::size_t begin = i / step * step * size + i % step;
    std::size_t best = 0;
    for (std::size_t k = 1; k < size; ++k) {
      if (values[begin + k * step] > values[begin + best * step]) best = k;
    }
    result.push_back(static_cast<std::int64_t>(best));
  }
  if (call.node.integer("keepdims", 1) == 0) {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {tensor_of<std::int64_t>(shape, result)};
}

Tensors softmax(const Call& call) {
  const Tensor& x = input(call, 0);
  const bool flat = call.opset < 13;  // Up to 12 all axes from `axis` on are one row.
  const std::size_t axis =
      axis_of(call.node, call.node.integer("axis", flat ? 1 : -1), x.shape().size());
  const auto stride = static_cast<std::size_t>(strides_of(x.shape())[axis]);
  const auto size = static_cast<std::size_t>(x.shape()[axis]) * (flat ? stride : 1);
  const std::size_t step = flat ? 1 : stride;
  std::vector<float> result(x.values<float>().begin(), x.values<float>().end());
  const std::size_t rows = size == 0 ? 0 : result.size() / size;
  for (std::size_t i = 0; i < rows; ++i) {
    softmax_row(result.data() + i / step * step * size + i % step, size, step);
  }
  return {tensor_of<float>(x.shape(), result)};
}

}  // namespace yoloq::graph::detail
