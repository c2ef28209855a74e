// SPDX-License-Identifier: Apache-2.0
#include "quantize/weights.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "core/error.h"
#include "quantize/scale.h"

namespace yoloq::quantize {

namespace {

constexpr std::pair<std::string_view, WeightScale> kMethods[] = {{"max", WeightScale::max},
                                                                 {"mse", WeightScale::mse}};

/// Candidate clippings for WeightScale::mse: from the full range down to 40 % of it. Below that
/// the clipping error of any weight distribution that was met is far above the optimum.
constexpr int kCandidates = 120;
constexpr float kSmallestShare = 0.4f;

float code_of(float value, float scale, float top_code) {
  return round_to_even(std::min(std::max(value / scale, -top_code), top_code));
}

/// Sums that do not wait for each other, so that the compiler uses vectors.
constexpr std::size_t kLanes = 8;
/// Values between two looks at whether a candidate has lost already.
constexpr std::size_t kBlock = 16 * kLanes;

/// The sum of squared errors; if it is above `enough`, some number above `enough`.
double squared_error(std::span<const float> values, float scale, float top_code, double enough) {
  std::array<double, kLanes> sums{};
  const auto add = [&](std::size_t lane, float value) {
    const double difference = double{value} - double{code_of(value, scale, top_code)} * scale;
    sums[lane] += difference * difference;
  };
  const auto total = [&] { return std::accumulate(sums.begin(), sums.end(), 0.0); };
  while (values.size() >= kBlock) {
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, values[i + lane]);
    }
    values = values.subspan(kBlock);
    if (const double sum = total(); sum > enough) return sum;
  }
  for (std::size_t i = 0; i < values.size(); ++i) add(i % kLanes, values[i]);
  return total();
}

float usable(float scale) { return std::max(scale, std::numeric_limits<float>::min()); }

float scale_of(std::span<const float> values, WeightScale method, float top_code) {
  float reach = 0;
  for (const float value : values) reach = std::max(reach, std::abs(value));
  if (reach == 0) return 1.0f;
  const float full = usable(reach / top_code);
  if (method == WeightScale::max) return full;

  float best = full;
  double least = squared_error(values, full, top_code, std::numeric_limits<double>::infinity());
  for (int i = 1; i <= kCandidates; ++i) {
    const float share = 1 - (1 - kSmallestShare) * static_cast<float>(i) / kCandidates;
    const float scale = usable(full * share);
    const double error = squared_error(values, scale, top_code, least);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/// Calls visit(values of one channel, its scale, index of the first value).
template <typename Visit>
void for_each_channel(const Tensor& weight, std::size_t scale_count, Visit visit) {
  const auto values = weight.values<float>();
  const std::size_t channels = scale_count;
  assert(channels > 0 && values.size() % channels == 0);
  const std::size_t length = values.size() / channels;
  for (std::size_t c = 0; c < channels; ++c)
    visit(values.subspan(c * length, length), c, c * length);
}

}  // namespace

WeightScale weight_scale_named(std::string_view name) {
  for (const auto& [known, method] : kMethods) {
    if (known == name) return method;
  }
  fail(ErrorCode::bad_argument, "no way '{}' to find weight scales; known: max, mse", name);
}

std::string_view name_of(WeightScale method) { return method == WeightScale::max ? "max" : "mse"; }

std::vector<float> weight_scales(const Tensor& weight, const WeightScaleOptions& options) {
  const auto channels = options.axis == 0 ? static_cast<std::size_t>(weight.shape().at(0)) : 1;
  std::vector<float> scales(channels);
  for_each_channel(
      weight, channels, [&](std::span<const float> values, std::size_t c, std::size_t) {
        scales[c] = scale_of(values, options.method, static_cast<float>(options.top_code));
      });
  return scales;
}

Tensor quantize_weight(const Tensor& weight, const std::vector<float>& scales, int top_code) {
  const auto top = static_cast<float>(top_code);
  std::vector<std::int8_t> codes(weight.size());
  for_each_channel(
      weight, scales.size(), [&](std::span<const float> values, std::size_t c, std::size_t first) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          codes[first + i] = static_cast<std::int8_t>(code_of(values[i], scales[c], top));
        }
      });
  return Tensor::of(weight.shape(), codes);
}

Tensor dequantize_weight(const Tensor& codes, const std::vector<float>& scales) {
  const auto values = codes.values<std::int8_t>();
  const std::size_t length = values.size() / scales.size();
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i] = static_cast<float>(values[i]) * scales[i / length];
  }
  return Tensor::of(codes.shape(), result);
}

}  // namespace yoloq::quantize
