// SPDX-License-Identifier: Apache-2.0
#include "calibrate/min_max.h"

#include <algorithm>

namespace yoloq::calibrate {

Range min_max_range(const TensorStatistics& statistics, const RangeOptions& options) {
  if (options.scheme == Scheme::symmetric) {
    const float largest = std::max(-statistics.min, statistics.max);
    return {-largest, largest};
  }
  return {std::min(statistics.min, 0.0f), std::max(statistics.max, 0.0f)};
}

}  // namespace yoloq::calibrate
