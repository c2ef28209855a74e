// SPDX-License-Identifier: Apache-2.0
#include "calibrate/detail/moments.h"

#include <algorithm>
#include <cmath>

namespace yoloq::calibrate::detail {

namespace {

constexpr auto kZeroBin = static_cast<double>(Histogram::kBinsPerSide);

/// `count` values spread evenly from `low` to `high`.
Moments even(double count, double low, double high) {
  return {count, count * (low + high) / 2, count * (low * low + low * high + high * high) / 3};
}

}  // namespace

CumulativeMoments::CumulativeMoments(const TensorStatistics& statistics)
    : width_(static_cast<double>(statistics.histogram.bin_width())),
      min_(static_cast<double>(statistics.min)),
      max_(static_cast<double>(statistics.max)) {
  const Histogram& histogram = statistics.histogram;
  // Bins next to zero are always included: a zero may have been counted on either side.
  first_ = std::min(Histogram::bin_of(statistics.min, histogram.exponent()),
                    Histogram::kBinsPerSide - 1);
  const std::size_t last =
      std::max(Histogram::bin_of(statistics.max, histogram.exponent()), Histogram::kBinsPerSide);
  below_.emplace_back();
  for (std::size_t bin = first_; bin <= last; ++bin) {
    counts_.push_back(static_cast<double>(histogram.counts()[bin]));
    below_.push_back(below_.back() + even(counts_.back(), low_edge(bin), high_edge(bin)));
  }
}

double CumulativeMoments::low_edge(std::size_t bin) const {
  return std::clamp((static_cast<double>(bin) - kZeroBin) * width_, min_, max_);
}

double CumulativeMoments::high_edge(std::size_t bin) const {
  return std::clamp((static_cast<double>(bin) - kZeroBin + 1.0) * width_, min_, max_);
}

Moments CumulativeMoments::part(std::size_t bin, double end) const {
  const double low = low_edge(bin);
  const double high = high_edge(bin);
  const double share = high > low ? (end - low) / (high - low) : 1.0;
  return even(counts_[bin - first_] * share, low, end);
}

Moments CumulativeMoments::below(double x) const {
  if (x <= min_) return {};
  if (x > max_) return below_.back();
  const auto bin = static_cast<std::size_t>(std::floor(x / width_) + kZeroBin);
  const std::size_t index = std::min(bin - first_, counts_.size() - 1);
  return below_[index] + part(first_ + index, x);
}

}  // namespace yoloq::calibrate::detail
