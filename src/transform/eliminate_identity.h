// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Removes nodes that give what they are given:
///
/// - Identity; Dropout outside training with its mask unread; Cast to the type that it reads
/// - Reshape, Flatten, Squeeze, Unsqueeze, Expand to the shape that they read, by size or symbol
/// - Transpose whose perm is 0, 1, 2, ...
/// - Slice of every element, forwards; Pad by 0 everywhere
/// - Resize and Upsample, nearest or linear, to the size that they read
/// - Concat, Max, Min, Sum of one value; Split into one part
/// - Mul and Div by 1, Add and Sub of 0, Pow to 1, where the constant does not widen the shape
///
/// A node whose output the graph returns goes too if its input comes from a node that nothing
/// prevents from being renamed; else it stays. A second run finds nothing to do.
///
/// @returns how many nodes were removed.
int eliminate_identity(graph::Graph& graph);

}  // namespace yoloq::transform
