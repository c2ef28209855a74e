// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

/// @file
/// The loops of fake quantization on a CPU, over dense memory. All vectorize; NaN stays NaN.

namespace yoloq::runtime::torch {

/// One scale and the codes around its zero point.
struct Step {
  float scale = 1.0f;
  float low = -128.0f;  ///< Smallest code minus the zero point.
  float high = 127.0f;  ///< Largest code minus the zero point.
  bool silu = false;    ///< The values go through SiLU first.
};

/// @param values, result  of the same length.
void quantize_forward(std::span<const float> values, std::span<float> result, const Step& step);

/// @param values    what quantize_forward() read.
/// @param gradient  at its result.
/// @param result    gets the gradient at `values`.
/// @returns the gradient at the scale.
double quantize_backward(std::span<const float> values, std::span<const float> gradient,
                         std::span<float> result, const Step& step);

}  // namespace yoloq::runtime::torch
