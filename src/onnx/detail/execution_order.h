// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "graph/graph.h"

namespace yoloq::onnx::detail {

/// `nodes` in an order in which each value is computed before it is read. As few as possible move:
/// nodes that are in such an order stay.
///
/// @param graph  gives inputs, outputs and constants.
/// @throws Error(corrupt_file) naming the node if a value is computed twice, is read but never
///     computed, or depends on itself; or if an output of the graph is not computed.
std::vector<graph::Node> in_execution_order(const graph::Graph& graph,
                                            std::vector<graph::Node> nodes);

}  // namespace yoloq::onnx::detail
