// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "graph/graph.h"

namespace yoloq::quantize {

/// Smallest and largest value; without an end where none is known.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  double reach() const { return std::max(std::abs(low), std::abs(high)); }
  friend bool operator==(const Interval&, const Interval&) = default;
};

using Intervals = std::map<std::string, Interval, std::less<>>;

/// Between which ends each float value of `graph` lies, by interval arithmetic.
///
/// The images that the graph reads lie between 0 and 1. A quantizer bounds what is behind it,
/// whatever is before it: of a Q/DQ graph nearly every value has a bound that holds for every
/// image. Of a float graph the bounds grow from convolution to convolution; `seen` narrows them.
///
///     Conv    b + sum of (w > 0 ? w * low : w * high)  to  b + sum of (w > 0 ? w * high : w * low)
///     SiLU    -0.2785 to max(0, high)
///     Clip    its limits, or what is narrower
///
/// @param seen  what values were found to lie between; both bounds hold.
/// @returns a row for each value that a node computes; infinite ends where nothing is known.
Intervals value_bounds(const graph::Graph& graph, const Intervals& seen = {});

}  // namespace yoloq::quantize
