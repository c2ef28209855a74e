// SPDX-License-Identifier: Apache-2.0
#include "transform/eliminate_dead.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

namespace yoloq::transform {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::int64_t kFirstIrWithFreeConstants = 4;

using Names = std::unordered_set<std::string>;

/// Removes dead nodes, last one first; returns what the others read.
Names remove_nodes(Graph& graph, int& removed) {
  Names read;
  for (const auto& output : graph.outputs) read.insert(output.name);
  auto order = graph.nodes();
  std::ranges::reverse(order);
  for (const NodeId id : order) {
    const Node& node = graph[id];
    const auto is_read = [&](const std::string& value) { return read.contains(value); };
    if (std::ranges::any_of(node.outputs, is_read)) {
      read.insert(node.inputs.begin(), node.inputs.end());
      read.insert(node.captured.begin(), node.captured.end());
    } else {
      graph.erase(id);
      ++removed;
    }
  }
  return read;
}

int remove_repeated_inputs(Graph& graph) {
  const auto repeats = [&](const auto& port) { return graph.constant(port.name) != nullptr; };
  const auto removed = static_cast<int>(std::erase_if(graph.inputs, repeats));
  if (removed > 0) graph.ir_version = std::max(graph.ir_version, kFirstIrWithFreeConstants);
  return removed;
}

void forget_types(Graph& graph) {
  Names written;
  for (const NodeId id : graph.nodes()) {
    written.insert(graph[id].outputs.begin(), graph[id].outputs.end());
  }
  std::erase_if(graph.value_types, [&](const auto& row) { return !written.contains(row.first); });
}

}  // namespace

int eliminate_dead(Graph& graph) {
  int removed = 0;
  const Names read = remove_nodes(graph, removed);
  removed += remove_repeated_inputs(graph);
  removed += static_cast<int>(
      std::erase_if(graph.constants, [&](const auto& row) { return !read.contains(row.first); }));
  forget_types(graph);
  return removed;
}

}  // namespace yoloq::transform
