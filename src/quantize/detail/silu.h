// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::quantize::detail {

/// Input number 0 or 1 of `mul` that is x in x * Sigmoid(x), in either order; -1 if it is no such
/// product.
int silu_input(const graph::Graph& graph, const graph::Node& mul);

}  // namespace yoloq::quantize::detail
