// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "calibrate/statistics.h"

namespace yoloq::calibrate::detail {

/// The number, sum and sum of squares of some values.
struct Moments {
  double count = 0.0;
  double sum = 0.0;
  double squares = 0.0;

  /// The sum of (x - center)^2.
  double squared_distance(double center) const {
    return squares - center * (2.0 * sum - center * count);
  }

  friend Moments operator+(const Moments& a, const Moments& b) {
    return {a.count + b.count, a.sum + b.sum, a.squares + b.squares};
  }
  friend Moments operator-(const Moments& a, const Moments& b) {
    return {a.count - b.count, a.sum - b.sum, a.squares - b.squares};
  }
};

/// Answers "the moments of all values below x" in constant time, for values that are spread evenly
/// within each bin of a histogram.
class CumulativeMoments {
 public:
  explicit CumulativeMoments(const TensorStatistics& statistics);

  Moments below(double x) const;
  const Moments& all() const { return below_.back(); }

 private:
  /// Real values of the part of a bin that lies between the extremes.
  double low_edge(std::size_t bin) const;
  double high_edge(std::size_t bin) const;
  Moments part(std::size_t bin, double end) const;

  double width_;
  double min_;
  double max_;
  std::size_t first_ = 0;       ///< The bin of the minimum.
  std::vector<double> counts_;  ///< Of the bins from first_ to that of the maximum.
  std::vector<Moments> below_;  ///< Of all values in bins before each; one more than counts_.
};

}  // namespace yoloq::calibrate::detail
