// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"

namespace yoloq::runtime::torch {

namespace {

struct ScalarRow {
  DType dtype;
  c10::ScalarType scalar;
};

constexpr std::array kScalars{
    ScalarRow{DType::f32, c10::ScalarType::Float},
    ScalarRow{DType::f64, c10::ScalarType::Double},
    ScalarRow{DType::f16, c10::ScalarType::Half},
    ScalarRow{DType::bf16, c10::ScalarType::BFloat16},
    ScalarRow{DType::u8, c10::ScalarType::Byte},
    ScalarRow{DType::i8, c10::ScalarType::Char},
    ScalarRow{DType::i16, c10::ScalarType::Short},
    ScalarRow{DType::i32, c10::ScalarType::Int},
    ScalarRow{DType::i64, c10::ScalarType::Long},
    ScalarRow{DType::boolean, c10::ScalarType::Bool},
};

}  // namespace

c10::ScalarType scalar_type(DType dtype) {
  const auto row = std::ranges::find(kScalars, dtype, &ScalarRow::dtype);
  if (row != kScalars.end()) return row->scalar;
  fail(ErrorCode::unsupported, "LibTorch has no tensors of type {}", name_of(dtype));
}

DType dtype_of_scalar(c10::ScalarType type) {
  const auto row = std::ranges::find(kScalars, type, &ScalarRow::scalar);
  if (row != kScalars.end()) return row->dtype;
  fail(ErrorCode::unsupported, "LibTorch's type {} has no counterpart", c10::toString(type));
}

at::Tensor to_torch(const Tensor& tensor, c10::Device device) {
  at::Tensor result = at::empty(tensor.shape(), at::TensorOptions(scalar_type(tensor.dtype())));
  const auto bytes = tensor.bytes();
  if (!bytes.empty()) std::memcpy(result.mutable_data_ptr(), bytes.data(), bytes.size());
  return result.to(device);
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().cpu().contiguous();
  return {dtype_of_scalar(dense.scalar_type()), dense.sizes().vec(),
          std::span(static_cast<const std::byte*>(dense.const_data_ptr()), dense.nbytes())};
}

}  // namespace yoloq::runtime::torch
