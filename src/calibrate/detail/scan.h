// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/detail/kernels.h"
#include "calibrate/histogram.h"

namespace yoloq::calibrate::detail {

/// What a Scan found. The counts are valid until the scan begins anew.
struct Scanned {
  float min = 0.0f;  ///< Never -0.0.
  float max = 0.0f;
  int exponent = Histogram::kSmallestExponent;
  std::size_t first_bin = 0;
  std::span<const std::uint64_t> counts;  ///< Of the bins from first_bin on.
};

/// One pass over the values of one tensor of one image: extremes, histogram and the sum of each
/// channel, at 32 bit counts in buffers that are used again for the next tensor (about 200 kB).
///
///     chunk of 2048 values, from L1:   scan (min, max, sum)  ->  widen the bins if needed
///                                      -> bin numbers, 16 bits each  ->  count
class Scan {
 public:
  /// Most values between begin() and finish(): a counter of 32 bits cannot overflow.
  static constexpr std::uint64_t kMostValues = (std::uint64_t{1} << 32) - 1;

  explicit Scan(const Kernels& kernels = supported_kernels().front());

  /// Forgets everything. Bins are 2^exponent wide, or wider as soon as a value needs it.
  void begin(int exponent);

  /// Takes in one channel's values and keeps their sum.
  ///
  /// @returns false if one is NaN or infinite; begin() anew then.
  [[nodiscard]] bool add(std::span<const float> values);

  /// Takes in all channels' values, [H, W, C], and keeps the sum of each: the same bits as by one
  /// add() per channel.
  ///
  /// @returns false as add().
  [[nodiscard]] bool add_channels_last(std::span<const float> values, std::size_t channels);

  /// One sum per channel.
  std::span<const double> sums() const { return sums_; }

  Scanned finish();

 private:
  static constexpr std::size_t kChunk = 2048;
  static constexpr std::size_t kCopies = 4;  ///< Equal neighbours do not wait for each other.

  void take(std::span<const float> chunk, const Lanes& lanes);
  void widen(const Lanes& lanes);
  void count(std::span<const float> values);

  const Kernels* kernels_;
  int exponent_ = Histogram::kSmallestExponent;
  float min_ = 0.0f;
  float max_ = 0.0f;
  std::vector<double> sums_;
  std::vector<double> lane_sums_;        ///< [kLanes, C], with channels last
  std::vector<std::uint32_t> counters_;  ///< [kBins, kCopies]
  std::vector<std::uint64_t> counts_;    ///< [kBins]
  std::array<std::uint16_t, kChunk> bins_;
};

}  // namespace yoloq::calibrate::detail
