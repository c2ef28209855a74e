// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/detail/fake_quantize_loops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <vector>

namespace yoloq::runtime::torch {

namespace {

/// Values whose scale gradients are summed in float before they go into a double.
constexpr std::size_t kBlock = 1024;

/// Halves to even for magnitudes below 2^22, in a form that vectorizes.
inline float rounded(float value) {
  constexpr float kMagic = 12582912.0f;
  return (value + kMagic) - kMagic;
}

/// Keeps NaN, as neither comparison holds for it.
inline float clipped(float value, float low, float high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

/// e^x within 2 units in the last place, 0 and 2^127 at the ends. 2^n * e^r with |r| <= ln(2) / 2,
/// e^r by its series to the seventh power.
inline float exponential(float x) {
  const float bounded = clipped(x, -87.0f, 88.0f);
  const float n = rounded(bounded * 1.44269504088896341f);
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float series = 1.0f / 5040.0f;
  for (const float term :
       {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f, 1.0f, 1.0f}) {
    series = series * r + term;
  }
  const auto exponent = static_cast<std::int32_t>(n == n ? n : 0.0f);
  const float power = std::bit_cast<float>((exponent + 127) << 23);
  return series * power;
}

inline float sigmoid_of(float x) { return 1.0f / (1.0f + exponential(-x)); }

template <bool Silu>
[[gnu::always_inline]] inline void forward_loop(const float* values, float* result,
                                                std::size_t count, const Step& step) {
  const float scale = step.scale;
  const float low = step.low;
  const float high = step.high;
  for (std::size_t i = 0; i < count; ++i) {
    const float x = values[i];
    const float value = Silu ? x * sigmoid_of(x) : x;
    result[i] = rounded(clipped(value / scale, low, high)) * scale;
  }
}

template <bool Silu>
[[gnu::always_inline]] inline float backward_loop(const float* values, const float* gradient,
                                                  float* result, std::size_t count,
                                                  const Step& step) {
  const float scale = step.scale;
  const float low = step.low;
  const float high = step.high;
  // One sum per lane of the widest vectors: the order of additions is then the same on every CPU.
  std::array<float, 16> sums{};
  const auto one = [&](std::size_t i, float& sum) __attribute__((always_inline)) {
    const float x = values[i];
    const float gate = Silu ? sigmoid_of(x) : 1.0f;
    const float value = Silu ? x * gate : x;
    const float code = value / scale;
    const float bounded = clipped(code, low, high);
    const bool inside = code >= low && code <= high;
    const float slope = Silu ? gate * (1.0f + x * (1.0f - gate)) : 1.0f;
    result[i] = inside ? gradient[i] * slope : 0.0f;
    sum += gradient[i] * (rounded(bounded) - (inside ? code : 0.0f));
  };
  std::size_t i = 0;
  for (; i + sums.size() <= count; i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) one(i + lane, sums[lane]);
  }
  for (; i < count; ++i) one(i, sums[0]);
  float total = 0;
  for (const float sum : sums) total += sum;
  return total;
}

// The compiler makes one version of each for every kind of vector and picks at load time.
[[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]] void forward_plain(
    const float* values, float* result, std::size_t count, const Step& step) {
  forward_loop<false>(values, result, count, step);
}
[[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]] void forward_silu(
    const float* values, float* result, std::size_t count, const Step& step) {
  forward_loop<true>(values, result, count, step);
}
[[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]] float backward_plain(
    const float* values, const float* gradient, float* result, std::size_t count,
    const Step& step) {
  return backward_loop<false>(values, gradient, result, count, step);
}
[[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]] float backward_silu(
    const float* values, const float* gradient, float* result, std::size_t count,
    const Step& step) {
  return backward_loop<true>(values, gradient, result, count, step);
}

}  // namespace

void quantize_forward(std::span<const float> values, std::span<float> result, const Step& step) {
  const auto loop = step.silu ? forward_silu : forward_plain;
  loop(values.data(), result.data(), values.size(), step);
}

double quantize_backward(std::span<const float> values, std::span<const float> gradient,
                         std::span<float> result, const Step& step) {
  const auto loop = step.silu ? backward_silu : backward_plain;
  double sum = 0;
  for (std::size_t start = 0; start < values.size(); start += kBlock) {
    const std::size_t count = std::min(kBlock, values.size() - start);
    sum += loop(values.data() + start, gradient.data() + start, result.data() + start, count, step);
  }
  return sum;
}

}  // namespace yoloq::runtime::torch
