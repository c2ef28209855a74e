// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "graph/graph.h"

namespace yoloq::transform {

/// Results larger than this many bytes stay computed, unless their inputs are as large: a file must
/// not grow without need, nor memory without bound.
inline constexpr std::size_t kLargestFoldedBytes = std::size_t{16} << 20;

/// Computes what is the same in every run, with the reference kernels, and puts a constant there.
///
///     before   c = Constant() value=int64[1] {0}     after    u = int64[1] {8}
///              s = Shape(x)           x is [8, 3]
///              u = Gather(s, c)
///
/// A Shape counts as constant where the sizes are known, also when its tensor is not.
///
/// Leaves alone: operators without a kernel; random ones, as they have none; outputs of the graph;
/// QuantizeLinear and DequantizeLinear, which mark what is to run in 8 bits; results larger than
/// kLargestFoldedBytes and than what they are made of. A second run finds nothing to do.
///
/// @returns how many nodes were removed.
/// @throws Error(corrupt_file) naming the node whose inputs contradict it.
int fold_constants(graph::Graph& graph);

}  // namespace yoloq::transform
