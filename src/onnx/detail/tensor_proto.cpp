// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/tensor_proto.h"

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "core/error.h"

namespace yoloq::onnx::detail {

namespace {

using ::onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw data is little endian");

/// Which repeated field holds the elements of a type when they are not raw.
enum class Field { f32, i32, i64, f64, u64 };

struct Row {
  int type;        ///< TensorProto.DataType; numbers beyond 16 are later than onnx.proto may be.
  Field field;     ///< Where typed elements stand.
  unsigned bits;   ///< Of one element in raw data.
  unsigned bytes;  ///< Of raw data that one entry of the field stands for.
};

constexpr Row kTypes[] = {
    {1, Field::f32, 32, 4},    // float
    {2, Field::i32, 8, 1},     // uint8
    {3, Field::i32, 8, 1},     // int8
    {4, Field::i32, 16, 2},    // uint16
    {5, Field::i32, 16, 2},    // int16
    {6, Field::i32, 32, 4},    // int32
    {7, Field::i64, 64, 8},    // int64
    {9, Field::i32, 8, 1},     // bool
    {10, Field::i32, 16, 2},   // float16
    {11, Field::f64, 64, 8},   // double
    {12, Field::u64, 32, 4},   // uint32
    {13, Field::u64, 64, 8},   // uint64
    {14, Field::f32, 64, 4},   // complex64: two entries per element
    {15, Field::f64, 128, 8},  // complex128
    {16, Field::i32, 16, 2},   // bfloat16
    {17, Field::i32, 8, 1},    // float8e4m3fn
    {18, Field::i32, 8, 1},    // float8e4m3fnuz
    {19, Field::i32, 8, 1},    // float8e5m2
    {20, Field::i32, 8, 1},    // float8e5m2fnuz
    {21, Field::i32, 4, 1},    // uint4: an entry is a byte of two elements
    {22, Field::i32, 4, 1},    // int4
    {23, Field::i32, 4, 1},    // float4e2m1
    {24, Field::i32, 8, 1},    // float8e8m0
};

const Row* row_of(int type) {
  for (const Row& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

/// Bytes that `shape` needs; checked, since sizes come from outside.
std::size_t raw_size(const Shape& shape, const Row& row) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (count > std::numeric_limits<std::size_t>::max() / 2 / row.bits) {
    fail(ErrorCode::corrupt_file, "shape {} is larger than any memory", to_string(shape));
  }
  return (count * row.bits + 7) / 8;
}

/// Appends the low `bytes` bytes of each entry. Wider entries of a narrow type are an error.
template <typename Entries>
std::string pack(const Entries& entries, unsigned bytes) {
  std::string raw;
  raw.reserve(static_cast<std::size_t>(entries.size()) * bytes);
  for (const auto entry : entries) {
    if constexpr (std::is_integral_v<std::remove_const_t<decltype(entry)>>) {
      const auto wide = static_cast<std::int64_t>(entry);
      const std::int64_t bound = bytes < 8 ? std::int64_t{1} << (8 * bytes) : 0;
      if (bound != 0 && (wide >= bound || wide < -bound / 2)) {
        fail(ErrorCode::corrupt_file, "the element {} does not fit {} bytes", wide, bytes);
      }
    }
    char buffer[sizeof entry];
    std::memcpy(buffer, &entry, sizeof entry);
    raw.append(buffer, bytes);
  }
  return raw;
}

std::string take_typed(TensorProto& proto, const Row& row) {
  const auto taken = [&](auto* entries) {
    std::string raw = pack(*entries, row.bytes);
    entries->Clear();
    return raw;
  };
  switch (row.field) {
    case Field::f32:
      return taken(proto.mutable_float_data());
    case Field::i32:
      return taken(proto.mutable_int32_data());
    case Field::i64:
      return taken(proto.mutable_int64_data());
    case Field::f64:
      return taken(proto.mutable_double_data());
    case Field::u64:
      return taken(proto.mutable_uint64_data());
  }
  return {};
}

bool has_typed(const TensorProto& proto) {
  return proto.float_data_size() + proto.int32_data_size() + proto.int64_data_size() +
             proto.double_data_size() + proto.uint64_data_size() + proto.string_data_size() >
         0;
}

void require_bools(std::string_view raw) {
  for (const char c : raw) {
    if (static_cast<unsigned char>(c) <= 1) continue;
    fail(ErrorCode::corrupt_file, "a bool tensor holds a byte that is neither 0 nor 1");
  }
}

Tensor share(DType type, Shape shape, std::string raw) {
  auto owner = std::make_shared<const std::string>(std::move(raw));
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  const std::size_t size = owner->size();
  return {type, std::move(shape), std::shared_ptr<const std::byte>(std::move(owner), data), size};
}

Tensor wrap_message(Shape shape, const ::onnx::AttributeProto& holder) {
  element_count(shape);
  return share(DType::opaque, std::move(shape), encode(holder));
}

}  // namespace

std::optional<Tensor> take_tensor(TensorProto& proto) {
  if (proto.has_segment()) fail(ErrorCode::unsupported, "it is stored in segments");
  if (proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() > 0) {
    fail(ErrorCode::unsupported, "its data is outside the file: read it with its folder");
  }
  if (proto.data_type() == 0) fail(ErrorCode::corrupt_file, "it has no element type");

  const Row* row = row_of(proto.data_type());
  if (row == nullptr) return std::nullopt;

  Shape shape(proto.dims().begin(), proto.dims().end());
  const std::size_t expected = raw_size(shape, *row);
  std::unique_ptr<std::string> raw(proto.release_raw_data());
  if (!raw || (raw->empty() && has_typed(proto))) {
    raw = std::make_unique<std::string>(take_typed(proto, *row));
  }
  if (raw->size() != expected || has_typed(proto)) {
    fail(ErrorCode::corrupt_file, "shape {} of element type {} needs {} bytes, the file has {}{}",
         to_string(shape), proto.data_type(), expected, raw->size(),
         has_typed(proto) ? " and data of another type" : "");
  }
  const auto type = static_cast<DType>(proto.data_type());
  if (type == DType::boolean) require_bools(*raw);
  proto.clear_dims();
  proto.clear_data_type();
  proto.clear_data_location();
  return share(type, std::move(shape), std::move(*raw));
}

void put_tensor(const Tensor& tensor, TensorProto& proto) {
  const auto type = static_cast<int>(tensor.dtype());
  if (row_of(type) == nullptr) {
    fail(ErrorCode::corrupt_file, "a tensor of type {} cannot be written as ONNX data",
         name_of(tensor.dtype()));
  }
  proto.set_data_type(type);
  proto.clear_dims();
  for (const std::int64_t size : tensor.shape()) proto.add_dims(size);
  const auto bytes = tensor.bytes();
  proto.set_raw_data(bytes.data(), bytes.size());
}

Tensor wrap(TensorProto proto) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  if (proto.data_type() == TensorProto::STRING &&
      element_count(shape) != proto.string_data_size()) {
    fail(ErrorCode::corrupt_file, "shape {} does not fit {} strings", to_string(shape),
         proto.string_data_size());
  }
  ::onnx::AttributeProto holder;
  proto.clear_name();
  *holder.mutable_t() = std::move(proto);
  return wrap_message(std::move(shape), holder);
}

Tensor wrap(::onnx::SparseTensorProto proto) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  ::onnx::AttributeProto holder;
  proto.mutable_values()->clear_name();
  *holder.mutable_sparse_tensor() = std::move(proto);
  return wrap_message(std::move(shape), holder);
}

::onnx::AttributeProto unwrap(const Tensor& tensor) {
  const auto bytes = tensor.bytes();
  ::onnx::AttributeProto holder;
  decode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, holder, "an opaque tensor");
  if (!holder.has_t() && !holder.has_sparse_tensor()) {
    fail(ErrorCode::corrupt_file, "an opaque tensor holds no tensor of an ONNX file");
  }
  return holder;
}

}  // namespace yoloq::onnx::detail
