// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace yoloq::quantize::detail {

/// True for operators each of whose results is one of the values that they read: Concat, MaxPool
/// and nearest Resize. Rounding before them gives the same values as rounding behind them.
bool only_moves(const graph::Node& node);

/// How many of the first inputs of such a node are the values that it moves.
std::size_t moved_inputs(const graph::Node& node);

/// Operators that only move values, each of whose results is read by others of them alone, but for
/// the last one's.
///
///     a ──▶ MaxPool ──▶ Concat ──▶ value        entries: a read by MaxPool, b read by Concat
///     b ────────────────▲
struct Movement {
  std::set<graph::NodeId> nodes;
  std::vector<graph::Use> entries;  ///< Where values come in, in execution order.
};

/// The movement that ends in `value`; none if its producer does more than move values, or if a
/// constant enters. Who reads `value` is not looked at.
std::optional<Movement> movement_to(const graph::Graph& graph, std::string_view value);

/// The values that enter a movement, each once.
std::vector<std::string> sources_of(const graph::Graph& graph, const Movement& movement);

/// The DequantizeLinear nodes that `value` comes from through operators that only move values;
/// empty if something else is among its origins.
std::vector<graph::NodeId> dequantizers_of(const graph::Graph& graph, const std::string& value);

/// True if two QuantizeLinear or DequantizeLinear nodes have the same constant scale and zero
/// point, of one value each.
bool same_quantizer(const graph::Graph& graph, const graph::Node& a, const graph::Node& b);

}  // namespace yoloq::quantize::detail
