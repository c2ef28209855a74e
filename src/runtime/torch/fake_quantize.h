// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

/// @file
/// Fake quantization with gradients, as one operation: a tensor takes the values that its 8-bit
/// codes stand for, and the gradient passes as if it had not been rounded.
///
///     y      = (clip(round_half_to_even(x / s) + z, low, high) - z) * s
///     dL/dx  = dL/dy   where x / s + z lies within low..high, else 0
///     dL/ds  = sum dL/dy * ( y / s - x / s   within,   low - z or high - z   outside )
///
/// Source: the straight-through estimator of Bengio et al., arXiv:1308.3432; the gradient of the
/// scale of Esser et al., "Learned Step Size Quantization", arXiv:1902.08153, equation 3.

namespace yoloq::runtime::torch {

struct Codes {
  int low = -128;
  int high = 127;
  int zero_point = 0;
};

/// @param values  float32, any shape and any dense layout, which the result keeps.
/// @param scale   float32: [1], or [O] for a scale per slice of the first dimension. Gets its
///                gradient if it asks for one.
/// @throws Error(bad_argument) if `scale` fits neither.
at::Tensor fake_quantize(const at::Tensor& values, const at::Tensor& scale, const Codes& codes);

/// fake_quantize(silu(values), ...) with one scale, in one pass over the values in each direction.
at::Tensor fake_quantize_silu(const at::Tensor& values, const at::Tensor& scale,
                              const Codes& codes);

}  // namespace yoloq::runtime::torch
