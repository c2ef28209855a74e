// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace yoloq::calibrate {

/// Counts of values in bins of equal width on both sides of zero.
///
///     counts()      [0] ... [4094]      [4095] | [4096]   [4097] ... [8191]
///     values                (-2w, -w]  (-w, 0) | [0, w)   [w, 2w)             w = 2^exponent
///
/// The width starts at 2^-126 and doubles, adjacent bins merging, whenever a value falls outside.
/// As every bin of one width is a union of bins of any smaller one, the result depends on the
/// values alone: not on their order, nor on how they were split among histograms that are then
/// merged. -0.0 counts on the negative side.
class Histogram {
 public:
  static constexpr std::size_t kBinsPerSide = 4096;
  static constexpr std::size_t kBins = 2 * kBinsPerSide;
  static constexpr int kSmallestExponent = -126;     ///< The width is never a subnormal number.
  static constexpr int kLargestExponent = 128 - 12;  ///< Holds the largest float in 2^12 bins.

  Histogram() : counts_(kBins) {}

  /// A histogram with `counts` in the bins from `first` on; none elsewhere.
  ///
  /// @throws Error(corrupt_file) if the exponent or a bin is out of range.
  static Histogram of(int exponent, std::size_t first, std::span<const std::uint64_t> counts);

  /// Takes in values, which must be finite.
  ///
  /// @throws Error(bad_value) if one is NaN or infinite; nothing is taken in then.
  void observe(std::span<const float> values);

  /// Adds the values of another histogram. Exact.
  void merge(const Histogram& other);

  /// Adds counts of bins from `first` on that are 2^exponent wide.
  void add(int exponent, std::size_t first, std::span<const std::uint64_t> counts);

  /// Multiplies every count: each value was seen `factor` times.
  ///
  /// @throws Error(bad_argument) if a count would not fit 64 bits.
  void repeat(std::uint64_t factor);

  int exponent() const { return exponent_; }
  float bin_width() const;                                           ///< 2^exponent, real units.
  std::span<const std::uint64_t> counts() const { return counts_; }  ///< [kBins], as drawn above.
  std::uint64_t total() const;                                       ///< Values taken in.

  /// The bin that holds `value` at a width of 2^exponent; the value must lie inside.
  static std::size_t bin_of(float value, int exponent);

  /// The smallest exponent at which a value of this magnitude lies inside.
  static int exponent_for(float magnitude);

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  void coarsen(int exponent);

  int exponent_ = kSmallestExponent;
  std::vector<std::uint64_t> counts_;
};

}  // namespace yoloq::calibrate
