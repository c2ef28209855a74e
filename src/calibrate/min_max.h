// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibrate/calibrator.h"

namespace yoloq::calibrate {

/// The smallest and largest value seen: nothing is clipped, and one outlier sets the scale.
///
///     symmetric    a = max(|min|, |max|)
///     asymmetric   [min(min, 0), max(max, 0)]
///
/// Source: Jacob et al., arXiv:1712.05877, without its moving average.
Range min_max_range(const TensorStatistics& statistics, const RangeOptions& options);

}  // namespace yoloq::calibrate
