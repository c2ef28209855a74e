// SPDX-License-Identifier: Apache-2.0
#include "quantize/scale.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace yoloq::quantize {

namespace {

/// A float scale for steps of `step`; never 0, also where the range is below the smallest float.
float usable_scale(double step) {
  if (step == 0.0) return 1.0f;
  return std::max(static_cast<float>(step), std::numeric_limits<float>::min());
}

}  // namespace

CodeLimits code_limits(DType dtype) {
  assert(dtype == DType::i8 || dtype == DType::u8);
  return dtype == DType::i8 ? CodeLimits{-128, 127} : CodeLimits{0, 255};
}

Quantizer symmetric_quantizer(const calibrate::Range& range) {
  const double reach = std::max(-double{range.low}, double{range.high});
  return {DType::i8, usable_scale(reach / 127), 0};
}

Quantizer asymmetric_quantizer(const calibrate::Range& range) {
  const double low = std::min(range.low, 0.0f);
  const double high = std::max(range.high, 0.0f);
  const float scale = usable_scale((high - low) / 255);
  const auto zero_point = static_cast<int>(std::nearbyint(-low / scale));
  return {DType::u8, scale, std::clamp(zero_point, 0, 255)};
}

int quantize_value(float value, const Quantizer& quantizer) {
  const auto [low, high] = code_limits(quantizer.dtype);
  // nearbyint rounds half to even in the default rounding mode; the clamp comes before the
  // conversion so that a huge value cannot overflow an int.
  const float code =
      std::nearbyint(value / quantizer.scale) + static_cast<float>(quantizer.zero_point);
  return static_cast<int>(std::clamp(code, static_cast<float>(low), static_cast<float>(high)));
}

float fake_quantize(float value, const Quantizer& quantizer) {
  return static_cast<float>(quantize_value(value, quantizer) - quantizer.zero_point) *
         quantizer.scale;
}

}  // namespace yoloq::quantize
