// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/arrays.h"

#include <cstring>
#include <numeric>

namespace yoloq::graph::detail {

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1) {
      fail(ErrorCode::corrupt_file, "shapes {} and {} do not broadcast", to_string(a),
           to_string(b));
    }
    result[result.size() - 1 - i] = left == 1 ? right : left;
  }
  return result;
}

Shape broadcast_strides(const Shape& from, const Shape& to) {
  const Shape own = strides_of(from);
  Shape strides(to.size(), 0);
  const std::size_t lead = to.size() - from.size();
  for (std::size_t d = 0; d < from.size(); ++d) strides[lead + d] = from[d] == 1 ? 0 : own[d];
  return strides;
}

Tensor as_doubles(const Tensor& tensor) {
  return visit_number(tensor.dtype(), [&]<typename T>() {
    const auto values = tensor.values<T>();
    return Tensor::of<double>(tensor.shape(), std::vector<double>(values.begin(), values.end()));
  });
}

Tensor from_doubles(const Tensor& doubles, DType type) {
  return visit_number(type, [&]<typename T>() {
    std::vector<Stored<T>> result;
    result.reserve(doubles.size());
    for (const double value : doubles.values<double>()) result.push_back(static_cast<T>(value));
    return tensor_of<T>(doubles.shape(), result);
  });
}

std::size_t element_width(const Tensor& tensor) {
  if (const std::size_t width = size_of(tensor.dtype()); width > 0) return width;
  fail(ErrorCode::unsupported, "elements of type {} cannot be moved one by one",
       name_of(tensor.dtype()));
}

Tensor transposed(const Tensor& source, std::span<const std::int64_t> permutation) {
  const Shape own = strides_of(source.shape());
  Shape shape;
  Shape strides;
  for (const std::int64_t axis : permutation) {
    shape.push_back(source.shape()[static_cast<std::size_t>(axis)]);
    strides.push_back(own[static_cast<std::size_t>(axis)]);
  }
  const std::size_t width = element_width(source);
  std::vector<std::byte> bytes(source.bytes().size());
  std::byte* to = bytes.data();
  for_each_offset<1>(shape, {strides}, [&](const auto& offsets) {
    std::memcpy(to, source.bytes().data() + static_cast<std::size_t>(offsets[0]) * width, width);
    to += width;
  });
  return {source.dtype(), shape, bytes};
}

AxisIndices every_index(std::int64_t size) {
  AxisIndices indices(static_cast<std::size_t>(size));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Tensor selected(const Tensor& source, std::span<const AxisIndices> indices, const Tensor* fill) {
  const Shape strides = strides_of(source.shape());
  Shape shape;
  for (const AxisIndices& axis : indices) shape.push_back(static_cast<std::int64_t>(axis.size()));
  const auto count = static_cast<std::size_t>(element_count(shape));
  const std::size_t width = element_width(source);
  std::vector<std::byte> bytes(count * width);

  Shape at(shape.size(), 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    bool filled = false;
    for (std::size_t d = 0; d < at.size(); ++d) {
      const std::int64_t index = indices[d][static_cast<std::size_t>(at[d])];
      filled = filled || index < 0;
      offset += index * strides[d];
    }
    if (!filled) {
      const std::byte* from = source.bytes().data() + static_cast<std::size_t>(offset) * width;
      std::memcpy(bytes.data() + i * width, from, width);
    } else if (fill != nullptr) {
      std::memcpy(bytes.data() + i * width, fill->bytes().data(), width);
    }
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
  return {source.dtype(), shape, bytes};
}

}  // namespace yoloq::graph::detail
