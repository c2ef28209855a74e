// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace yoloq::calibrate::detail {

inline constexpr std::size_t kLanes = 16;

/// Running minimum, maximum and sum of a stream of values: value i goes to lane i % 16, so that
/// every instruction set adds in the same order and gives the same bits.
struct alignas(64) Lanes {
  std::array<double, kLanes> sum;
  std::array<float, kLanes> low;
  std::array<float, kLanes> high;

  Lanes() {
    sum.fill(0.0);
    low.fill(std::numeric_limits<float>::infinity());
    high.fill(-std::numeric_limits<float>::infinity());
  }
};

/// The loops that touch every value, compiled for one instruction set.
struct Kernels {
  std::string_view name;  ///< "avx512", "avx2", "baseline".

  /// Adds values to the lanes, beginning at lane 0. NaN and infinity make a sum that is not finite;
  /// the sum of finite floats always is. The extremes are only defined without NaN.
  void (*scan)(std::span<const float> values, Lanes& lanes);

  /// The extremes as scan() finds them, without the sums; false if a value is not finite.
  bool (*bound)(std::span<const float> values, Lanes& lanes);

  /// Writes the bin of every value at a width of 1 / scale, a power of two; all lie inside.
  void (*bin)(std::span<const float> values, float scale, std::uint16_t* bins);

  /// Adds each value to the sum of the same index; there are as many.
  void (*add)(std::span<const float> values, double* sums);
};

/// What this CPU can run, best first; the last is always "baseline".
std::span<const Kernels> supported_kernels();

}  // namespace yoloq::calibrate::detail
