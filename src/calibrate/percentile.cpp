// SPDX-License-Identifier: Apache-2.0
#include "calibrate/percentile.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace yoloq::calibrate {

namespace {

using Counts = std::vector<double>;

/// Where the outermost `tail` values of a tensor begin, as a distance from zero in bin widths;
/// counts[i] values lie at distances i to i + 1.
double cut(const Counts& counts, double tail) {
  double outside = 0.0;
  for (std::size_t i = counts.size(); i-- > 0;) {
    if (counts[i] == 0.0 || outside + counts[i] <= tail) {
      outside += counts[i];
      continue;
    }
    const double inside = 1.0 - (tail - outside) / counts[i];
    return static_cast<double>(i) + inside;
  }
  return 0.0;
}

/// Distances from zero to real values, on the side where the outermost value has magnitude `most`.
float threshold(const Counts& counts, double tail, const Histogram& histogram, float most) {
  const double value =
      std::max(1.0, cut(counts, tail)) * static_cast<double>(histogram.bin_width());
  return most <= 0.0f ? 0.0f : static_cast<float>(std::min(value, static_cast<double>(most)));
}

}  // namespace

Range percentile_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const Histogram& histogram = statistics.histogram;
  const auto counts = histogram.counts();
  Counts below(counts.rend() - Histogram::kBinsPerSide, counts.rend());
  Counts above(counts.begin() + Histogram::kBinsPerSide, counts.end());
  const double tail = static_cast<double>(statistics.count) * (1.0 - options.percentile / 100.0);
  if (options.scheme == Scheme::symmetric) {
    std::ranges::transform(above, below, above.begin(), std::plus<>());
    const float most = std::max(-statistics.min, statistics.max);
    const float a = threshold(above, tail, histogram, most);
    return {-a, a};
  }
  return {-threshold(below, tail / 2, histogram, -statistics.min),
          threshold(above, tail / 2, histogram, statistics.max)};
}

}  // namespace yoloq::calibrate
