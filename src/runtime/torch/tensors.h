// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "core/tensor.h"

/// @file
/// Between yoloq's tensors and LibTorch's. Headers of this folder show LibTorch; only train/ may
/// include them.

namespace yoloq::runtime::torch {

/// A copy on `device`.
///
/// @throws Error(unsupported) for an element type that LibTorch lacks (strings, 4-bit codes, ...).
at::Tensor to_torch(const Tensor& tensor, c10::Device device = c10::kCPU);

/// A copy in row-major order, without its gradient.
///
/// @throws Error(unsupported) as to_torch().
Tensor from_torch(const at::Tensor& tensor);

/// LibTorch's element type.
///
/// @throws Error(unsupported) as to_torch().
c10::ScalarType scalar_type(DType dtype);

/// yoloq's element type.
DType dtype_of_scalar(c10::ScalarType type);

}  // namespace yoloq::runtime::torch
