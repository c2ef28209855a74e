// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Shortens the chains of Shape, Gather, Unsqueeze, Concat, ... that carry sizes through a graph
/// whose sizes are chosen at run time, as far as the symbols of infer_shapes() prove it:
///
/// 1. Two small values of the same elements become one, whatever computes them:
///
///        before   a = Gather(Shape(x), 0)      x is [batch, 3, h, w]
///                 b = Gather(Shape(y), 0)      y is [batch, 85, h/8, w/8]
///        after    every reader of b reads a
///
/// 2. Reshape's target becomes a constant where each size is known, is that of the same axis of the
///    input (0), or is the only other one (-1).
/// 3. Resize to sizes that are whole multiples of its input's gets the multiples as scales.
///
/// What nothing reads any more is left to eliminate_dead. A second run finds nothing to do.
///
/// @returns how many values and inputs were replaced.
int settle_shapes(graph::Graph& graph);

}  // namespace yoloq::transform
