// SPDX-License-Identifier: Apache-2.0
#include "calibrate/detail/kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "calibrate/histogram.h"

namespace yoloq::calibrate::detail {

namespace {

/// Vectors of the size that the instruction set has; wider ones would be taken apart into scalars.
template <std::size_t Bytes>
struct Vectors {
  using Floats [[gnu::vector_size(Bytes)]] = float;
  using HalfFloats [[gnu::vector_size(Bytes / 2)]] = float;
  using Doubles [[gnu::vector_size(Bytes)]] = double;
  using Ints [[gnu::vector_size(Bytes)]] = std::int32_t;
  static constexpr std::size_t kFloats = Bytes / sizeof(float);
  static constexpr std::size_t kDoubles = Bytes / sizeof(double);
};

template <typename Vector>
[[gnu::always_inline]] inline void load(Vector& vector, const void* from) {
  std::memcpy(&vector, from, sizeof vector);
}

/// One vector of lanes after the other, with its variables in registers; the values are in the
/// first-level cache after the first round.
///
/// Inlined into one function per instruction set, which then compiles it for that set.
template <std::size_t Bytes>
[[gnu::always_inline]] inline void scan_values(std::span<const float> values, Lanes& lanes) {
  using V = Vectors<Bytes>;
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t lane = 0; lane < kLanes; lane += V::kFloats) {
    typename V::Floats low;
    typename V::Floats high;
    typename V::Doubles first_sum;
    typename V::Doubles second_sum;
    load(low, &lanes.low[lane]);
    load(high, &lanes.high[lane]);
    load(first_sum, &lanes.sum[lane]);
    load(second_sum, &lanes.sum[lane + V::kDoubles]);
    for (std::size_t i = lane; i < whole; i += kLanes) {
      typename V::Floats value;
      typename V::HalfFloats first_half;
      typename V::HalfFloats second_half;
      load(value, &values[i]);
      load(first_half, &values[i]);
      load(second_half, &values[i + V::kDoubles]);
      low = value < low ? value : low;
      high = value > high ? value : high;
      first_sum += __builtin_convertvector(first_half, typename V::Doubles);
      second_sum += __builtin_convertvector(second_half, typename V::Doubles);
    }
    std::memcpy(&lanes.low[lane], &low, sizeof low);
    std::memcpy(&lanes.high[lane], &high, sizeof high);
    std::memcpy(&lanes.sum[lane], &first_sum, sizeof first_sum);
    std::memcpy(&lanes.sum[lane + V::kDoubles], &second_sum, sizeof second_sum);
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const std::size_t lane = i - whole;
    lanes.low[lane] = std::min(lanes.low[lane], values[i]);
    lanes.high[lane] = std::max(lanes.high[lane], values[i]);
    lanes.sum[lane] += static_cast<double>(values[i]);
  }
}

/// Finite are the floats whose bits without the sign are below those of infinity.
[[gnu::always_inline]] inline bool is_finite(float value) {
  return (std::bit_cast<std::int32_t>(value) & 0x7fffffff) < 0x7f800000;
}

/// As scan_values(), but what would make the sum not finite is found in the bits.
template <std::size_t Bytes>
[[gnu::always_inline]] inline bool bound_values(std::span<const float> values, Lanes& lanes) {
  using V = Vectors<Bytes>;
  const std::size_t whole = values.size() / kLanes * kLanes;
  typename V::Ints largest = {};
  for (std::size_t lane = 0; lane < kLanes; lane += V::kFloats) {
    typename V::Floats low;
    typename V::Floats high;
    load(low, &lanes.low[lane]);
    load(high, &lanes.high[lane]);
    for (std::size_t i = lane; i < whole; i += kLanes) {
      typename V::Floats value;
      load(value, &values[i]);
      low = value < low ? value : low;
      high = value > high ? value : high;
      typename V::Ints bits;
      std::memcpy(&bits, &value, sizeof bits);
      bits &= 0x7fffffff;
      largest = bits > largest ? bits : largest;
    }
    std::memcpy(&lanes.low[lane], &low, sizeof low);
    std::memcpy(&lanes.high[lane], &high, sizeof high);
  }
  bool finite = true;
  for (std::size_t i = 0; i < V::kFloats; ++i) finite = finite && largest[i] < 0x7f800000;
  for (std::size_t i = whole; i < values.size(); ++i) {
    const std::size_t lane = i - whole;
    lanes.low[lane] = std::min(lanes.low[lane], values[i]);
    lanes.high[lane] = std::max(lanes.high[lane], values[i]);
    finite = finite && is_finite(values[i]);
  }
  return finite;
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

[[gnu::always_inline]] inline void add_values(std::span<const float> values, double* sums) {
  for (std::size_t i = 0; i < values.size(); ++i) sums[i] += static_cast<double>(values[i]);
}

void scan_baseline(std::span<const float> values, Lanes& lanes) { scan_values<16>(values, lanes); }
bool bound_baseline(std::span<const float> values, Lanes& lanes) {
  return bound_values<16>(values, lanes);
}
void bin_baseline(std::span<const float> values, float scale, std::uint16_t* bins) {
  bin_values(values, scale, bins);
}
void add_baseline(std::span<const float> values, double* sums) { add_values(values, sums); }

constexpr Kernels kBaseline = {"baseline", scan_baseline, bound_baseline, bin_baseline,
                               add_baseline};

#if defined(__x86_64__)
[[gnu::target("avx2")]] void scan_avx2(std::span<const float> values, Lanes& lanes) {
  scan_values<32>(values, lanes);
}
[[gnu::target("avx2")]] bool bound_avx2(std::span<const float> values, Lanes& lanes) {
  return bound_values<32>(values, lanes);
}
[[gnu::target("avx2")]] void bin_avx2(std::span<const float> values, float scale,
                                      std::uint16_t* bins) {
  bin_values(values, scale, bins);
}
[[gnu::target("avx2")]] void add_avx2(std::span<const float> values, double* sums) {
  add_values(values, sums);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void scan_avx512(
    std::span<const float> values, Lanes& lanes) {
  scan_values<64>(values, lanes);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] bool bound_avx512(
    std::span<const float> values, Lanes& lanes) {
  return bound_values<64>(values, lanes);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void bin_avx512(std::span<const float> values,
                                                                      float scale,
                                                                      std::uint16_t* bins) {
  bin_values(values, scale, bins);
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void add_avx512(std::span<const float> values,
                                                                      double* sums) {
  add_values(values, sums);
}

constexpr Kernels kTable[] = {{"avx512", scan_avx512, bound_avx512, bin_avx512, add_avx512},
                              {"avx2", scan_avx2, bound_avx2, bin_avx2, add_avx2},
                              kBaseline};

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
