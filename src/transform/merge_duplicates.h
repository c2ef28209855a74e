// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Lets readers of nodes and constants that repeat an earlier one read that one.
///
///     before   a = Slice(x, starts, ends)     after    a = Slice(x, starts, ends)
///              b = Slice(x, starts, ends)              z = Add(a, a)
///              z = Add(a, b)
///
/// Nodes are equal if operator, inputs and attributes are; constants if type, shape and bytes are.
///
/// Leaves alone: outputs of the graph; values that a subgraph captures, and nodes with one; random
/// operators; constants that carry the parameters of a layer (see kParameterReaders), so that each
/// layer keeps its own. A second run finds nothing to do.
///
/// @returns how many nodes and constants were removed.
int merge_duplicates(graph::Graph& graph);

}  // namespace yoloq::transform
