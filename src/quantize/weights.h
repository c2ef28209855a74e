// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace yoloq::quantize {

/// The largest weight code; codes are symmetric, -127..127.
inline constexpr int kTopCode = 127;

/// The largest with Options::reduce_range: a CPU that adds up two products of a uint8 and an int8
/// code in 16 bits then never saturates, as 255 * (64 + 64) = 32640 is below 2^15.
inline constexpr int kReducedTopCode = 64;

/// How the scale of a weight is found.
enum class WeightScale {
  max,  ///< The largest magnitude becomes the largest code.
  mse,  ///< Whichever clipping loses least: the smallest sum of squared rounding and clipping
        ///< errors.
};

/// @throws Error(bad_argument) naming max, mse.
WeightScale weight_scale_named(std::string_view name);
std::string_view name_of(WeightScale method);

struct WeightScaleOptions {
  int axis = 0;  ///< 0: one scale per output channel, [O]; -1: one scale.
  WeightScale method = WeightScale::mse;
  int top_code = kTopCode;
};

/// Scales for int8 codes -top_code..top_code with zero point 0.
///
/// @param weight  [O, ...] float32.
///
/// A channel of zeros has the scale 1.
std::vector<float> weight_scales(const Tensor& weight, const WeightScaleOptions& options);

/// The codes of `weight`, same shape, int8 in -top_code..top_code. `scales` has O elements or one.
Tensor quantize_weight(const Tensor& weight, const std::vector<float>& scales,
                       int top_code = kTopCode);

/// What codes of any shape [O, ...] stand for, same shape, float32.
Tensor dequantize_weight(const Tensor& codes, const std::vector<float>& scales);

}  // namespace yoloq::quantize
