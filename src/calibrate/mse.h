// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "calibrate/calibrator.h"

namespace yoloq::calibrate {

/// The range with the least mean squared error of quantization: rounding and clipping together.
///
///     error(s, z) = E[(x - q(x))^2],   q(x) = s * clamp(round(x / s), -z, 2^bits - 1 - z)
///
///     symmetric    z = 2^(bits - 1); searched over s = a / (2^(bits - 1) - 1)
///     asymmetric   searched over s and every zero point z = 0 ... 2^bits - 1, so that 0 is a code;
///                  low = -s z and high = s (2^bits - 1 - z) are then exact codes as well
///     known_low    searched over high; z = round(-low / s), as the quantizer will choose it
///
/// The expectation is exact for values spread evenly within each bin (the outermost bins end at the
/// extremes). Scales are searched from no clipping down to 1/4096 of it in steps of 4.4 %, then
/// finer around the best three, down to 0.07 %. Of ranges that are equally good, the largest.
///
/// Source: the criterion is that of Banner et al., arXiv:1810.05723, section 3; the search is ours.
Range mse_range(const TensorStatistics& statistics, const RangeOptions& options);

/// The mean squared error that a scale and zero point would cause on a tensor, in squared real
/// units: what mse_range() minimises. Codes are 0 to 2^bits - 1, and `zero_point` is 0's.
double mean_squared_error(const TensorStatistics& statistics, double scale, std::int64_t zero_point,
                          int bits);

}  // namespace yoloq::calibrate
