// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace yoloq::coco::detail {

/// numpy.mean of float64 values, equal in every bit; -1 where there are none.
///
/// numpy sums pairwise: halves that are multiples of eight down to 128 values, then eight running
/// sums. Source: numpy/_core/src/umath/loops_utils.h.src, DOUBLE_pairwise_sum.
double mean(std::span<const double> values);

}  // namespace yoloq::coco::detail
