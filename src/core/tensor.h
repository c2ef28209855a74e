// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace yoloq {

/// Sizes from the outermost dimension to the innermost; empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// The number of elements of `shape`; 1 for a scalar.
///
/// @throws Error(corrupt_file) if a size is negative or the product does not fit 63 bits.
std::int64_t element_count(const Shape& shape);

/// "[1, 3, 640, 640]".
std::string to_string(const Shape& shape);

/// A dense row-major array that never changes. A copy shares the buffer, so it is cheap; copies may
/// be read from any thread.
class Tensor {
 public:
  Tensor() = default;

  /// Takes a copy of `bytes`.
  ///
  /// @throws Error(corrupt_file) if they are not exactly what `type` and `shape` need.
  Tensor(DType type, Shape shape, std::span<const std::byte> bytes);

  /// Shares a buffer that lives as long as `owner`; it must be aligned for `type`.
  Tensor(DType type, Shape shape, std::shared_ptr<const std::byte> owner, std::size_t size);

  /// `values` in row-major order; as many as `shape` says.
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values) {
    return {dtype_of<T>, std::move(shape), std::as_bytes(values)};
  }
  template <typename T>
  static Tensor of(Shape shape, const std::vector<T>& values) {
    return of(std::move(shape), std::span<const T>(values));
  }
  /// One element, shape [].
  template <typename T>
  static Tensor scalar(T value) {
    return of(Shape{}, std::span<const T>(&value, 1));
  }
  /// One dimension.
  template <typename T>
  static Tensor list(const std::vector<T>& values) {
    return of(Shape{static_cast<std::int64_t>(values.size())}, values);
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t rank() const { return static_cast<std::int64_t>(shape_.size()); }
  std::size_t size() const { return size_; }  ///< Elements.
  std::span<const std::byte> bytes() const { return {data_.get(), size_bytes_}; }

  /// The elements in row-major order.
  ///
  /// @throws Error(unsupported) if T is not the element type.
  template <typename T>
  std::span<const T> values() const {
    require(dtype_of<T>);
    return {reinterpret_cast<const T*>(data_.get()), size_};
  }

  /// The elements as float32, whatever real type they are stored in.
  ///
  /// @throws Error(unsupported) if they are strings or opaque.
  std::vector<float> to_floats() const;

  /// The elements as int64.
  ///
  /// @throws Error(unsupported) if they are not of an integer type or bool.
  std::vector<std::int64_t> to_integers() const;

  /// The same elements under another shape of as many elements; shares the buffer.
  Tensor reshaped(Shape shape) const;

  /// Same type, shape and bytes.
  friend bool operator==(const Tensor& a, const Tensor& b);

 private:
  void require(DType type) const;

  DType dtype_ = DType::undefined;
  Shape shape_;
  std::shared_ptr<const std::byte> data_;
  std::size_t size_ = 0;
  std::size_t size_bytes_ = 0;
};

}  // namespace yoloq
