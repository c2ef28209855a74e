// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace yoloq::quantize {

/// How the scale of a weight is found.
enum class WeightScale {
  max,  ///< The largest magnitude becomes code 127.
  mse,  ///< Whichever clipping loses least: the smallest sum of squared rounding and clipping
        ///< errors.
};

/// @throws Error(bad_argument) naming max, mse.
WeightScale weight_scale_named(std::string_view name);
std::string_view name_of(WeightScale method);

/// Scales for int8 codes -127..127 with zero point 0.
///
/// @param weight  [O, ...] float32.
/// @param axis    0: one scale per output channel, [O]; -1: one scale.
///
/// A channel of zeros has the scale 1.
std::vector<float> weight_scales(const Tensor& weight, int axis, WeightScale method);

/// The codes of `weight`, same shape, int8 in -127..127. `scales` has O elements or one.
Tensor quantize_weight(const Tensor& weight, const std::vector<float>& scales);

/// What codes of any shape [O, ...] stand for, same shape, float32.
Tensor dequantize_weight(const Tensor& codes, const std::vector<float>& scales);

}  // namespace yoloq::quantize
