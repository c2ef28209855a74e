// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Lets a node that moves elements read what the one before it reads, where one does for both:
///
///     before   y = Reshape(x, first)            after    z = Reshape(x, second)
///              z = Reshape(y, second)
///
/// - Reshape behind Reshape, Flatten, Squeeze or Unsqueeze; its target is a constant without 0
/// - Transpose behind Transpose: perm' [i] = first [second [i]]
/// - Slice behind Slice, of constants, along other axes
///
/// The first node stays until eliminate_dead, or for good if others read it. A second run finds
/// nothing to do.
///
/// @returns how many nodes read further back than before.
int merge_layout(graph::Graph& graph);

}  // namespace yoloq::transform
