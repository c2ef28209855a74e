// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "graph/graph.h"
#include "graph/shapes.h"

namespace yoloq::transform::detail {

/// The index of the input that the node's first output repeats, if it repeats one.
std::optional<std::size_t> repeated_input(const graph::Graph& graph,
                                          const graph::Knowledge& knowledge,
                                          const graph::Node& node);

/// True if both shapes are the same in every run: each dimension is known, or has one symbol.
bool same_shape(const graph::ValueType& a, const graph::ValueType& b);

}  // namespace yoloq::transform::detail
