// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "runtime/torch/detail/fake_quantize_loops.h"

/// @file
/// The loops of fake quantization on a GPU: one kernel in each direction, where LibTorch's
/// operators would take a dozen. The kernels are compiled for the GPU that is there when they are
/// first used (NVRTC, which LibTorch's CUDA half brings), so that building the program takes no
/// CUDA.

namespace yoloq::runtime::torch {

/// The memory of a tensor as slices with one scale each.
struct Slices {
  std::int64_t count = 0;
  std::int64_t length = 0;
};

/// @param values  on a GPU, float32 or bfloat16 (which is computed in float32), dense in any
/// layout.
/// @param scales  float32, on the same GPU, one for each slice.
/// @param step    for its codes and SiLU; its scale is not read.
/// @throws Error(unsupported) for another type or without NVRTC, Error(backend) with CUDA's words.
at::Tensor quantize_forward_on_gpu(const at::Tensor& values, const at::Tensor& scales,
                                   const Slices& slices, const Step& step);

struct Gradients {
  at::Tensor values;
  at::Tensor scale;  ///< Undefined if not asked for.
};

/// @param gradient  at the result of the other function, in the layout of `values`.
/// The sums of a scale's gradient have one order, whatever the GPU does at the same time.
Gradients quantize_backward_on_gpu(const at::Tensor& values, const at::Tensor& scales,
                                   const at::Tensor& gradient, const Slices& slices,
                                   const Step& step, bool with_scale);

}  // namespace yoloq::runtime::torch
