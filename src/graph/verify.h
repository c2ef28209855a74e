// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::graph {

/// Checks the invariants of a Graph, in time linear in its size:
///
/// - each value is written once: by an input of the graph, by a constant or by one node. A constant
///   may have the name of an input; it is that input's value then, as in files of ONNX's IR 3.
/// - whatever a node or a subgraph inside it reads was written before it
/// - whatever the graph returns is written
/// - a node has an operator and at least one output; inputs and outputs of the graph have names
///
/// @throws Error(corrupt_file) naming the node and the value that break one.
void verify(const Graph& graph);

}  // namespace yoloq::graph
