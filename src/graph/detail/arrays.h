// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"

/// @file
/// Row-major arrays: what the reference kernels are made of.

namespace yoloq::graph::detail {

/// std::vector<bool> is no array; its bytes are.
template <typename T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// A tensor of T from its elements.
template <typename T>
Tensor tensor_of(Shape shape, const std::vector<Stored<T>>& elements) {
  return {dtype_of<T>, std::move(shape), std::as_bytes(std::span(elements))};
}

/// Calls `visit.operator()<T>()` with the C++ type of `dtype`.
///
/// @throws Error(unsupported) for a type without one (float16, strings).
template <typename Visit>
auto visit_number(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::f32:
      return visit.template operator()<float>();
    case DType::f64:
      return visit.template operator()<double>();
    case DType::i8:
      return visit.template operator()<std::int8_t>();
    case DType::u8:
      return visit.template operator()<std::uint8_t>();
    case DType::i16:
      return visit.template operator()<std::int16_t>();
    case DType::u16:
      return visit.template operator()<std::uint16_t>();
    case DType::i32:
      return visit.template operator()<std::int32_t>();
    case DType::u32:
      return visit.template operator()<std::uint32_t>();
    case DType::i64:
      return visit.template operator()<std::int64_t>();
    case DType::u64:
      return visit.template operator()<std::uint64_t>();
    case DType::boolean:
      return visit.template operator()<bool>();
    default:
      fail(ErrorCode::unsupported, "no reference kernel computes with {}", name_of(dtype));
  }
}

/// Elements between neighbours along each dimension.
Shape strides_of(const Shape& shape);

/// The shape that `a` and `b` broadcast to.
///
/// @throws Error(corrupt_file) if they do not.
Shape broadcast(const Shape& a, const Shape& b);

/// Calls `visit(offsets)` for each element of `shape` in row-major order, with the element's offset
/// in each of the N operands, whose strides are given per dimension of `shape`.
template <std::size_t N, typename Visit>
void for_each_offset(const Shape& shape, const std::array<Shape, N>& strides, Visit visit) {
  const std::int64_t count = element_count(shape);
  std::array<std::int64_t, N> offsets{};
  Shape at(shape.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(offsets);
    for (std::size_t d = shape.size(); d-- > 0;) {
      const bool wraps = ++at[d] == shape[d];
      for (std::size_t n = 0; n < N; ++n) {
        offsets[n] += wraps ? -strides[n][d] * (shape[d] - 1) : strides[n][d];
      }
      if (!wraps) break;
      at[d] = 0;
    }
  }
}

/// Strides that read a tensor of shape `from` as if it had been broadcast to `to`.
Shape broadcast_strides(const Shape& from, const Shape& to);

/// `source` with its dimensions in the order of `permutation`.
Tensor transposed(const Tensor& source, std::span<const std::int64_t> permutation);

/// Which indices of an axis are taken, in order; -1 stands for an element that is filled in.
using AxisIndices = std::vector<std::int64_t>;

/// The elements of `source` at all combinations of the indices, of which there is one list per
/// axis. Elements with a -1 are a copy of `fill`'s only element, or zero bytes without one.
Tensor selected(const Tensor& source, std::span<const AxisIndices> indices,
                const Tensor* fill = nullptr);

/// 0, 1, ..., size - 1.
AxisIndices every_index(std::int64_t size);

/// The same numbers as doubles.
Tensor as_doubles(const Tensor& tensor);

/// A tensor of doubles as one of `type`.
Tensor from_doubles(const Tensor& doubles, DType type);

/// Bytes of one element.
///
/// @throws Error(unsupported) if they differ between elements (strings).
std::size_t element_width(const Tensor& tensor);

}  // namespace yoloq::graph::detail
