// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Removes nodes that give what they are given:
///
/// | Node                                            | where |
/// |-------------------------------------------------|-----------------------------------------------|
/// | Identity                                        | always | | Dropout | outside training, its
/// mask unread             | | Cast                                            | to the type that
/// it reads                     | | Transpose                                       | perm is 0, 1,
/// 2, ...                          | | Reshape, Flatten, Squeeze, Unsqueeze, Expand    | to the
/// shape that it reads, by size or symbol | | Slice                                           | of
/// every element, forwards                    | | Resize, Upsample                                |
/// nearest or linear, to the size that it reads  | | Pad | by 0 everywhere | | Concat, Max, Min,
/// Sum                           | of one value                                  | | Split | into
/// one part                                 | | Mul, Div by 1; Add, Sub of 0; Pow to 1          |
/// the constant does not widen the shape         |
///
/// A node whose output the graph returns goes too if its input comes from a node that nothing
/// prevents from being renamed; else it stays. A second run finds nothing to do.
///
/// @returns how many nodes were removed.
int eliminate_identity(graph::Graph& graph);

}  // namespace yoloq::transform
