// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "graph/graph.h"

/// @file
/// Groups of nodes that are one function to a reader of the graph.

namespace yoloq::graph {

/// SiLU, x * Sigmoid(x), in files two nodes.
struct Silu {
  NodeId sigmoid{};
  NodeId mul{};
};

/// The SiLU of `value`, if nothing but its two nodes reads that; the Sigmoid feeds only the Mul.
std::optional<Silu> silu_of(const Graph& graph, std::string_view value);

}  // namespace yoloq::graph
