// SPDX-License-Identifier: Apache-2.0
#include "quantize/half_scales.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/half.h"

namespace yoloq::quantize {

namespace {

constexpr float kSmallestHalf = 0x1p-24f;
constexpr float kSmallestNormalHalf = 0x1p-14f;

/// The codes -top_code..top_code that, times `now`, come closest to the old ones times `before`.
Tensor rescaled(const Tensor& codes, const std::vector<float>& before,
                const std::vector<float>& now, float top_code) {
  std::vector<std::int8_t> result(codes.size());
  const auto old = codes.values<std::int8_t>();
  const std::size_t length = old.size() / before.size();
  for (std::size_t i = 0; i < old.size(); ++i) {
    const std::size_t c = i / length;
    const float code = std::nearbyint(static_cast<float>(old[i]) * (before[c] / now[c]));
    result[i] = static_cast<std::int8_t>(std::clamp(code, -top_code, top_code));
  }
  return Tensor::of(codes.shape(), result);
}

}  // namespace

float nearest_half(float scale) {
  return half_to_float(float_to_half(std::clamp(scale, kSmallestHalf, kLargestHalf)));
}

bool fits_half(const Tensor& tensor) {
  return std::ranges::all_of(
      tensor.to_floats(), [](float value) { return half_to_float(float_to_half(value)) == value; });
}

Tensor to_half(const Tensor& tensor) {
  std::vector<std::uint16_t> bits;
  bits.reserve(tensor.size());
  for (const float value : tensor.to_floats()) bits.push_back(float_to_half(value));
  return {DType::f16, tensor.shape(), std::as_bytes(std::span(bits))};
}

void round_scales_to_half(WeightPlan& weight) {
  const std::vector<float> before = weight.scales;
  for (float& scale : weight.scales) scale = nearest_half(scale);
  // Codes that do not fit are refused where they are used, see codes_of().
  const bool divides = !before.empty() && weight.codes && weight.codes->dtype() == DType::i8 &&
                       weight.codes->size() % before.size() == 0;
  if (!divides) return;
  weight.codes =
      rescaled(*weight.codes, before, weight.scales, static_cast<float>(weight.top_code));
}

void round_scales_to_half(Plan& plan) {
  for (ActivationPlan& activation : plan.activations) {
    activation.quantizer.scale = nearest_half(activation.quantizer.scale);
  }
  for (WeightPlan& weight : plan.weights) round_scales_to_half(weight);
}

int subnormal_scales(const Plan& plan) {
  std::ptrdiff_t count = 0;
  for (const WeightPlan& weight : plan.weights) {
    count += std::ranges::count_if(weight.scales,
                                   [](float scale) { return scale < kSmallestNormalHalf; });
  }
  return static_cast<int>(count);
}

}  // namespace yoloq::quantize
