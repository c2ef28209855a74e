// SPDX-License-Identifier: Apache-2.0
#include "calibrate/detail/kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "calibrate/histogram.h"

namespace yoloq::calibrate::detail {

namespace {

using Floats = float __attribute__((vector_size(64)));
using HalfFloats = float __attribute__((vector_size(32)));
using Doubles = double __attribute__((vector_size(64)));

/// Inlined into one function per instruction set, which then compiles it for that set.
[[gnu::always_inline]] inline void scan_values(std::span<const float> values, Lanes& lanes) {
  Floats low;
  Floats high;
  Doubles sums[2];
  std::memcpy(&low, lanes.low.data(), sizeof low);
  std::memcpy(&high, lanes.high.data(), sizeof high);
  std::memcpy(&sums, lanes.sum.data(), sizeof sums);

  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    Floats value;
    HalfFloats halves[2];
    std::memcpy(&value, values.data() + i, sizeof value);
    std::memcpy(&halves, values.data() + i, sizeof halves);
    low = value < low ? value : low;
    high = value > high ? value : high;
    sums[0] += __builtin_convertvector(halves[0], Doubles);
    sums[1] += __builtin_convertvector(halves[1], Doubles);
  }

  std::memcpy(lanes.low.data(), &low, sizeof low);
  std::memcpy(lanes.high.data(), &high, sizeof high);
  std::memcpy(lanes.sum.data(), &sums, sizeof sums);
  for (std::size_t i = whole; i < values.size(); ++i) {
    const std::size_t lane = i - whole;
    lanes.low[lane] = std::min(lanes.low[lane], values[i]);
    lanes.high[lane] = std::max(lanes.high[lane], values[i]);
    lanes.sum[lane] += static_cast<double>(values[i]);
  }
}

/// Bin 4096 + m for m w <= value, 4095 - m on the other side of zero: m ^ -1 is -1 - m.
[[gnu::always_inline]] inline void bin_values(std::span<const float> values, float scale,
                                              std::uint16_t* bins) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::int32_t>(values[i]);
    const float magnitude = std::bit_cast<float>(bits & 0x7fffffff);
    const std::int32_t side = bits >> 31;
    const std::int32_t bin = (static_cast<std::int32_t>(magnitude * scale) ^ side) +
                             static_cast<std::int32_t>(Histogram::kBinsPerSide);
    bins[i] = static_cast<std::uint16_t>(bin);
  }
}

void scan_baseline(std::span<const float> values, Lanes& lanes) { scan_values(values, lanes); }
void bin_baseline(std::span<const float> values, float scale, std::uint16_t* bins) {
  bin_values(values, scale, bins);
}

constexpr Kernels kBaseline = {"baseline", scan_baseline, bin_baseline};

#if defined(__x86_64__)
[[gnu::target("avx2")]] void scan_avx2(std::span<const float> values, Lanes& lanes) {
  scan_values(values, lanes);
}
[[gnu::target("avx2")]] void bin_avx2(std::span<const float> values, float scale,
                                      std::uint16_t* bins) {
  bin_values(values, scale, bins);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void scan_avx512(
    std::span<const float> values, Lanes& lanes) {
  scan_values(values, lanes);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void bin_avx512(std::span<const float> values,
                                                                      float scale,
                                                                      std::uint16_t* bins) {
  bin_values(values, scale, bins);
}

constexpr Kernels kTable[] = {
    {"avx512", scan_avx512, bin_avx512}, {"avx2", scan_avx2, bin_avx2}, kBaseline};

std::size_t first_supported() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return 0;
  }
  return __builtin_cpu_supports("avx2") ? 1 : 2;
}
#else
constexpr Kernels kTable[] = {kBaseline};

std::size_t first_supported() { return 0; }
#endif

}  // namespace

std::span<const Kernels> supported_kernels() {
  return std::span(kTable).subspan(first_supported());
}

}  // namespace yoloq::calibrate::detail
