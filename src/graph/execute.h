// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "graph/graph.h"

namespace yoloq::graph {

/// Runs a graph with the reference kernels, node by node, and gives its outputs by name. Made for
/// tests and small models: the loops are plain, sums are kept in double.
///
/// @param inputs  a tensor for each input of the graph that no constant stands for.
/// @throws Error(bad_argument) if an input is missing, Error(unsupported) for an operator without
///         a kernel, Error(corrupt_file) where a node contradicts its inputs; all name the node.
std::map<std::string, Tensor> execute(const Graph& graph,
                                      const std::map<std::string, Tensor>& inputs);

}  // namespace yoloq::graph
