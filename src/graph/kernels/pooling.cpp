// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/window.h"

namespace yoloq::graph::detail {

namespace {

/// The input indices under one position of a window, which padding cuts off.
AxisIndices covered(const WindowAxis& axis, std::int64_t position, std::int64_t size) {
  AxisIndices indices;
  const std::int64_t begin = position * axis.stride - axis.padding_before(size);
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
    const std::int64_t at = begin + tap * axis.dilation;
    if (at >= 0 && at < size) indices.push_back(at);
  }
  return indices;
}

/// `reduce(plane, rows, columns)` of every window of every plane.
template <typename T, typename Reduce>
Tensor pooled(const Call& call, Reduce reduce) {
  const Tensor& x = input(call, 0);
  if (x.rank() != 4) not_covered(call.node, "only 2-D images have a kernel");
  const auto axes = window_of(call.node, {});
  if (axes.size() != 2) contradict(call.node, "kernel_shape has not two elements");
  const std::int64_t height = x.shape()[2];
  const std::int64_t width = x.shape()[3];
  const Shape shape{x.shape()[0], x.shape()[1], axes[0].positions(height),
                    axes[1].positions(width)};
  std::vector<T> result;
  result.reserve(static_cast<std::size_t>(element_count(shape)));
  std::vector<AxisIndices> rows;
  for (std::int64_t y = 0; y < shape[2]; ++y) rows.push_back(covered(axes[0], y, height));
  std::vector<AxisIndices> columns;
  for (std::int64_t c = 0; c < shape[3]; ++c) columns.push_back(covered(axes[1], c, width));
  for (std::int64_t p = 0; p < shape[0] * shape[1]; ++p) {
    const T* plane = x.values<T>().data() + p * height * width;
    const auto value = [=](std::int64_t row, std::int64_t column) {
      return plane[row * width + column];
    };
    for (const AxisIndices& y : rows) {
      for (const AxisIndices& c : columns) result.push_back(reduce(value, y, c));
    }
  }
  return tensor_of<T>(shape, result);
}

template <typename T>
Tensor max_pooled(const Call& call) {
  return pooled<T>(call,
                   [](const auto& value, const AxisIndices& rows, const AxisIndices& columns) {
                     T best = std::numeric_limits<T>::lowest();
                     for (const auto row : rows) {
                       for (const auto column : columns) best = std::max(best, value(row, column));
                     }
                     return best;
                   });
}

}  // namespace

Tensors max_pool(const Call& call) {
  if (call.node.outputs.size() > 1 && !call.node.outputs[1].empty()) {
    not_covered(call.node, "the output of indices has no kernel");
  }
  switch (input(call, 0).dtype()) {
    case DType::i8:
      return {max_pooled<std::int8_t>(call)};
    case DType::u8:
      return {max_pooled<std::uint8_t>(call)};
    default:
      return {max_pooled<float>(call)};
  }
}

Tensors average_pool(const Call& call) {
  const bool all = call.node.integer("count_include_pad", 0) != 0;
  if (all && call.node.integer("ceil_mode", 0) != 0) {
    not_covered(call.node, "count_include_pad together with ceil_mode has no kernel");
  }
  std::int64_t window = 1;
  for (const WindowAxis& axis : window_of(call.node, {})) window *= axis.kernel;
  return {pooled<float>(call, [=](const auto& value, const auto& rows, const auto& columns) {
    double sum = 0;
    for (const auto row : rows) {
      for (const auto column : columns) sum += value(row, column);
    }
    const auto counted = static_cast<std::int64_t>(rows.size() * columns.size());
    return static_cast<float>(sum / static_cast<double>(all ? window : counted));
  })};
}

Tensors global_average_pool(const Call& call) {
  const Tensor& x = input(call, 0);
  if (x.rank() < 3 || x.size() == 0) contradict(call.node, "its input has no image axes");
  Shape shape(x.shape().size(), 1);
  shape[0] = x.shape()[0];
  shape[1] = x.shape()[1];
  const std::size_t plane = x.size() / static_cast<std::size_t>(element_count(shape));
  std::vector<float> result;
  for (std::size_t i = 0; i < x.size(); i += plane) {
    double sum = 0;
    for (const float v : x.values<float>().subspan(i, plane)) sum += v;
    result.push_back(static_cast<float>(sum / static_cast<double>(plane)));
  }
  return {tensor_of<float>(shape, result)};
}

}  // namespace yoloq::graph::detail
