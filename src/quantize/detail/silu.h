// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::quantize::detail {

/// Hardswish, x * clip(x + 3, 0, 6) / 6, is smallest at x = -1.5.
constexpr float kHardswishLow = -0.375f;

/// Input number 0 or 1 of `mul` that is x in x * Sigmoid(x), in either order; -1 if it is no such
/// product.
int silu_input(const graph::Graph& graph, const graph::Node& mul);

}  // namespace yoloq::quantize::detail
