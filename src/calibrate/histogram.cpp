// SPDX-License-Identifier: Apache-2.0
#include "calibrate/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibrate/detail/bins.h"
#include "calibrate/detail/float_environment.h"
#include "calibrate/detail/scan.h"
#include "core/error.h"

namespace yoloq::calibrate {

Histogram Histogram::of(int exponent, std::size_t first, std::span<const std::uint64_t> counts) {
  if (exponent < kSmallestExponent || exponent > kLargestExponent || first > kBins ||
      counts.size() > kBins - first) {
    fail(ErrorCode::corrupt_file,
         "a histogram with exponent {} and {} bins from bin {} on; expected {} to {} and {} bins",
         exponent, counts.size(), first, kSmallestExponent, kLargestExponent, kBins);
  }
  Histogram histogram;
  histogram.exponent_ = exponent;
  std::ranges::copy(counts, histogram.counts_.begin() + static_cast<std::ptrdiff_t>(first));
  return histogram;
}

void Histogram::observe(std::span<const float> values) {
  const detail::DefaultFloatEnvironment environment;
  detail::Scan scan;
  scan.begin(exponent_);
  if (!scan.add(values)) {
    fail(ErrorCode::bad_value, "a value to count is NaN or infinite; expected finite values");
  }
  const auto counted = scan.finish();
  add(counted.exponent, counted.first_bin, counted.counts);
}

void Histogram::merge(const Histogram& other) { add(other.exponent_, 0, other.counts_); }

void Histogram::add(int exponent, std::size_t first, std::span<const std::uint64_t> counts) {
  if (exponent > exponent_) coarsen(exponent);
  const int shift = exponent_ - exponent;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts_[detail::coarser_bin(first + i, shift)] += counts[i];
  }
}

void Histogram::repeat(std::uint64_t factor) {
  const std::uint64_t most = total();
  if (factor == 0 || most > std::numeric_limits<std::uint64_t>::max() / factor) {
    fail(ErrorCode::bad_argument,
         "cannot repeat {} values {} times: expected 1 or more, and less "
         "than 2^64 values in all",
         most, factor);
  }
  for (std::uint64_t& count : counts_) count *= factor;
}

float Histogram::bin_width() const { return std::ldexp(1.0f, exponent_); }

std::uint64_t Histogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::size_t Histogram::bin_of(float value, int exponent) {
  const auto magnitude = static_cast<std::size_t>(std::ldexp(std::fabs(value), -exponent));
  return std::signbit(value) ? kBinsPerSide - 1 - magnitude : kBinsPerSide + magnitude;
}

int Histogram::exponent_for(float magnitude) {
  int power = 0;
  std::frexp(magnitude, &power);  // magnitude < 2^power; the least such power, 0 for 0
  constexpr int kBits = std::countr_zero(kBinsPerSide);
  return magnitude == 0.0f ? kSmallestExponent : std::max(kSmallestExponent, power - kBits);
}

void Histogram::coarsen(int exponent) {
  detail::coarsen<1>(counts_, exponent - exponent_);
  exponent_ = exponent;
}

}  // namespace yoloq::calibrate
