// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibrate/calibrator.h"

namespace yoloq::calibrate {

/// The threshold whose clipped and quantized distribution diverges least from the clipped one.
///
/// Of the bins in use, the first i (i from the number of levels up) are kept; what lies outside is
/// added to bin i - 1. That is P. For Q, the kept bins are dealt out to the levels, and each
/// level's count (without what was clipped) is spread evenly over those of its bins that are not
/// empty.
///
///     threshold = the end of bin i - 1 that minimises KL(P || Q) = sum P log(P / Q)
///
///     symmetric    on the histogram of |x|, 2^(bits - 1) levels
///     asymmetric   on the signed histogram, 2^bits levels: first the end that is further from
///                  zero is searched with the other at its extreme, then the other end with this
///                  one at what was found. Ours, as the sources are symmetric.
///
/// The bin at zero is given its neighbour's count first (zeros cost nothing to quantize).
/// Thresholds lie on bins, between 1/4096 and 1/2048 of the larger magnitude apart. Milliseconds
/// per tensor.
///
/// Source: Migacz, 8-bit inference with TensorRT, GTC 2017; variant of Wu et al., arXiv:2004.09602.
Range entropy_range(const TensorStatistics& statistics, const RangeOptions& options);

}  // namespace yoloq::calibrate
