// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor.h"
#include "quantize/plan.h"

/// @file
/// Scales that float16 holds exactly. QuantizeLinear and DequantizeLinear have one type for scale
/// and real value: in a file whose float part is float16 the scales are float16 too. The plan is
/// brought to such scales first and codes are made for them, so that it stays the truth.

namespace yoloq::quantize {

/// The float16 that is nearest to `scale`, never 0 or infinite: 2^-24 to 65504.
///
/// Below 2^-14 float16 has ever fewer digits, and below 2^-24 none. A scale may move there: its
/// codes are made for the scale that it becomes, and weights that small have no finer values in
/// float16 in any case, which counts in steps of 2^-24 there.
float nearest_half(float scale);

/// True if float16 holds every element of a float32 tensor exactly.
bool fits_half(const Tensor& tensor);

/// The elements as float16, rounded to nearest.
Tensor to_half(const Tensor& tensor);

/// Moves each scale of `plan` to the nearest float16 and stored codes to those that are nearest to
/// what they stood for. Codes that the plan does not store follow by themselves.
void round_scales_to_half(Plan& plan);
void round_scales_to_half(WeightPlan& weight);

/// How many weight scales of `plan` are below 2^-14, where float16 has fewer digits.
int subnormal_scales(const Plan& plan);

}  // namespace yoloq::quantize
