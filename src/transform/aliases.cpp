// SPDX-License-Identifier: Apache-2.0
#include "transform/detail/aliases.h"

namespace yoloq::transform::detail {

Aliases::Aliases(const graph::Graph& graph) {
  for (const auto& input : graph.inputs) fixed_.insert(input.name);
  for (const auto& output : graph.outputs) fixed_.insert(output.name);
  for (const graph::NodeId id : graph.nodes()) {
    fixed_.insert(graph[id].captured.begin(), graph[id].captured.end());
  }
}

bool Aliases::add(const std::string& from, const std::string& to) {
  if (!is_free(from)) return false;
  aliases_[from] = of(to);
  return true;
}

bool Aliases::add_all(const std::vector<std::string>& from, const std::vector<std::string>& to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i].empty()) continue;
    if (!is_free(from[i]) || i >= to.size() || to[i].empty()) return false;
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!from[i].empty()) add(from[i], to[i]);
  }
  return true;
}

const std::string& Aliases::of(const std::string& value) const {
  const auto found = aliases_.find(value);
  return found == aliases_.end() ? value : found->second;
}

void Aliases::apply(graph::Node& node) const {
  for (auto& input : node.inputs) input = of(input);
}

void Aliases::remove_constants(graph::Graph& graph) const {
  for (const auto& [from, to] : aliases_) {
    if (const auto found = graph.constants.find(from); found != graph.constants.end()) {
      graph.constants.erase(found);
    }
    graph.value_types.erase(from);
  }
}

}  // namespace yoloq::transform::detail
