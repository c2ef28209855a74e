// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "graph/graph.h"

namespace yoloq::transform::detail {

/// Gives input `index` of a node a new constant: under its old name if nothing else reads that,
/// else under a fresh one made from `stem`. Fills absent inputs before it with "".
void set_constant_input(graph::Graph& graph, graph::NodeId node, std::size_t index,
                        const std::string& stem, Tensor value);

/// The constant behind input `index` if it is float32, else nullptr.
const Tensor* float_constant(const graph::Graph& graph, const graph::Node& node, std::size_t index);

}  // namespace yoloq::transform::detail
