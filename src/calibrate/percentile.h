// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibrate/calibrator.h"

namespace yoloq::calibrate {

/// Cuts off the values of largest magnitude.
///
///     symmetric    a: the p-th percentile of |x|
///     asymmetric   (100 - p) / 2 per cent of the values are cut off at each end
///
/// A percentile is the smallest value that p per cent of the values do not exceed (numpy's
/// "inverted_cdf"), found within its bin by assuming an even spread: at most one bin width off. No
/// end of a range that has values on its side is nearer to zero than one bin, or than its outermost
/// value if that is nearer.
///
/// Source: Wu et al., arXiv:2004.09602, calibration by percentile.
Range percentile_range(const TensorStatistics& statistics, const RangeOptions& options);

}  // namespace yoloq::calibrate
