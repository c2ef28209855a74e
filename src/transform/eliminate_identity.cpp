// SPDX-License-Identifier: Apache-2.0
#include "transform/eliminate_identity.h"

#include <string>
#include <unordered_map>

#include "graph/shapes.h"
#include "transform/detail/aliases.h"
#include "transform/detail/no_ops.h"

namespace yoloq::transform {

using detail::Aliases;
using graph::Graph;
using graph::NodeId;

namespace {

/// Lets the node that computes `value` write `name` instead, and all others read that.
void rename_value(Graph& graph, NodeId producer, const std::string& value,
                  const std::string& name) {
  for (auto& output : graph[producer].outputs) {
    if (output == value) output = name;
  }
  graph.replace_uses(value, name);
  graph.value_types.erase(value);
}

}  // namespace

int eliminate_identity(Graph& graph) {
  const graph::Knowledge knowledge(graph);
  Aliases aliases(graph);
  std::unordered_map<std::string, NodeId> producers;
  int removed = 0;
  for (const NodeId id : graph.nodes()) {
    const auto repeated = detail::repeated_input(graph, knowledge, graph[id]);
    aliases.apply(graph[id]);
    for (const auto& output : graph[id].outputs) producers[output] = id;
    if (!repeated) continue;

    const std::string value = graph[id].inputs[*repeated];
    const std::string output = graph[id].output();
    const auto producer = producers.find(value);
    if (aliases.add(output, value)) {
      graph.erase(id);
    } else if (graph.is_output(output) && aliases.is_free(value) && producer != producers.end()) {
      const NodeId writer = producer->second;
      graph.erase(id);
      rename_value(graph, writer, value, output);
      producers[output] = writer;
      aliases.add(value, output);
    } else {
      continue;
    }
    ++removed;
  }
  return removed;
}

}  // namespace yoloq::transform
