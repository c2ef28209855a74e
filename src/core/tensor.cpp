// SPDX-License-Identifier: Apache-2.0
#include "core/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>

#include "core/error.h"
#include "core/half.h"

namespace yoloq {

namespace {

constexpr std::size_t kAlignment = 64;  // One cache line; enough for any vector instruction.

std::shared_ptr<std::byte> allocate(std::size_t size) {
  auto* memory = static_cast<std::byte*>(
      ::operator new (std::max<std::size_t>(size, 1), std::align_val_t{kAlignment}));
  return {memory, [](std::byte* p) { ::operator delete (p, std::align_val_t{kAlignment}); }};
}

/// Calls `visit` with each element as its C++ type; false if the type has none.
template <typename Visit>
bool for_each_number(const Tensor& tensor, Visit visit) {
  const auto all = [&]<typename T>(std::span<const T> values) {
    for (const T value : values) visit(value);
    return true;
  };
  switch (tensor.dtype()) {
    case DType::f32:
      return all(tensor.values<float>());
    case DType::f64:
      return all(tensor.values<double>());
    case DType::i8:
      return all(tensor.values<std::int8_t>());
    case DType::u8:
      return all(tensor.values<std::uint8_t>());
    case DType::i16:
      return all(tensor.values<std::int16_t>());
    case DType::u16:
      return all(tensor.values<std::uint16_t>());
    case DType::i32:
      return all(tensor.values<std::int32_t>());
    case DType::u32:
      return all(tensor.values<std::uint32_t>());
    case DType::i64:
      return all(tensor.values<std::int64_t>());
    case DType::u64:
      return all(tensor.values<std::uint64_t>());
    case DType::boolean:
      return all(tensor.values<bool>());
    default:
      return false;
  }
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) {
      fail(ErrorCode::corrupt_file, "shape {} is not the shape of a tensor", to_string(shape));
    }
  }
  return count;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Tensor::Tensor(DType type, Shape shape, std::span<const std::byte> bytes) {
  auto owned = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(owned.get(), bytes.data(), bytes.size());
  *this = Tensor(type, std::move(shape), std::move(owned), bytes.size());
}

Tensor::Tensor(DType type, Shape shape, std::shared_ptr<const std::byte> owner, std::size_t size)
    : dtype_(type), shape_(std::move(shape)), data_(std::move(owner)), size_bytes_(size) {
  size_ = static_cast<std::size_t>(element_count(shape_));
  const std::size_t width = size_of(type);
  if (width == 0) return;  // Opaque: only the maker knows how many bytes belong.
  if (size_ > std::numeric_limits<std::size_t>::max() / width || size_ * width != size) {
    fail(ErrorCode::corrupt_file, "a {} tensor of shape {} does not fit {} bytes", name_of(type),
         to_string(shape_), size);
  }
}

void Tensor::require(DType type) const {
  if (type == dtype_) return;
  fail(ErrorCode::unsupported, "a {} tensor of shape {} was read as {}", name_of(dtype_),
       to_string(shape_), name_of(type));
}

std::vector<float> Tensor::to_floats() const {
  std::vector<float> result;
  result.reserve(size_);
  if (for_each_number(*this, [&](auto v) { result.push_back(static_cast<float>(v)); })) {
    return result;
  }
  if (dtype_ != DType::f16 && dtype_ != DType::bf16) require(DType::f32);

  const auto* codes = reinterpret_cast<const std::uint16_t*>(data_.get());
  for (std::size_t i = 0; i < size_; ++i) {
    if (dtype_ == DType::f16) {
      result.push_back(half_to_float(codes[i]));
    } else {
      result.push_back(std::bit_cast<float>(std::uint32_t{codes[i]} << 16));
    }
  }
  return result;
}

std::vector<std::int64_t> Tensor::to_integers() const {
  if (dtype_ == DType::f32 || dtype_ == DType::f64) require(DType::i64);
  std::vector<std::int64_t> result;
  result.reserve(size_);
  if (!for_each_number(*this, [&](auto v) { result.push_back(static_cast<std::int64_t>(v)); })) {
    require(DType::i64);
  }
  return result;
}

Tensor Tensor::reshaped(Shape shape) const {
  return {dtype_, std::move(shape), data_, size_bytes_};
}

bool operator==(const Tensor& a, const Tensor& b) {
  return a.dtype_ == b.dtype_ && a.shape_ == b.shape_ && std::ranges::equal(a.bytes(), b.bytes());
}

}  // namespace yoloq
