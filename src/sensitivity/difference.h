// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace yoloq::sensitivity {

/// The part of a graph that computes something else than another graph.
struct Difference {
  graph::Graph graph;                ///< Only the nodes that differ or depend on such.
  std::vector<std::string> inputs;   ///< Values of the other graph that it reads, one per input.
  std::vector<std::size_t> outputs;  ///< Which outputs of the whole graph its outputs are.
};

/// Cuts out of `variant` what has to be computed where all values of `base` are known:
///
///     base      x ─▶ a ─▶ b ─▶ c ─▶ out_0             variant   x ─▶ a ─▶ b' ─▶ c ─▶ out_0
///                    └──▶ d ─▶ e ─▶ out_1                            └──▶ d ─▶ e ─▶ out_1
///
///     difference(base, variant)      a ─▶ b' ─▶ c ─▶ out_0
///
/// A value is the same in both if its node, the constants that it reads and all its inputs are.
///
/// Feature maps, [N, C, H, W], are taken as [N, H, W, C], which is how runtime::with_outputs()
/// hands them out; inputs of `base` as they are.
///
/// @param base     of known types: see graph::infer_shapes().
/// @param variant  has the outputs of `base`.
/// @throws Error(bad_argument) if the two have different outputs, or are the same.
Difference difference(const graph::Graph& base, const graph::Graph& variant);

}  // namespace yoloq::sensitivity
