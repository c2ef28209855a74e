// SPDX-License-Identifier: Apache-2.0
#include "quantize/detail/moves.h"

#include <algorithm>

namespace yoloq::quantize::detail {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Use;

namespace {

/// A constant of one value, or nullptr.
const Tensor* single(const Graph& graph, const std::string& name) {
  const Tensor* constant = graph.constant(name);
  return constant != nullptr && constant->size() == 1 ? constant : nullptr;
}

/// True if nothing but `nodes` reads what `node` computes.
bool is_inner(const Graph& graph, const Node& node, const std::set<NodeId>& nodes) {
  const auto uses = graph.uses(node.output());
  return uses.size() == graph.readers(node.output()) &&
         std::ranges::all_of(uses, [&](const Use& use) { return nodes.contains(use.node); });
}

/// The nodes before `nodes` that belong to them as well.
std::vector<NodeId> more_of(const Graph& graph, const std::set<NodeId>& nodes) {
  std::vector<NodeId> more;
  for (const NodeId id : nodes) {
    for (std::size_t input = 0; input < moved_inputs(graph[id]); ++input) {
      const auto producer = graph.producer(graph[id].inputs[input]);
      if (!producer || nodes.contains(*producer) || !only_moves(graph[*producer])) continue;
      if (is_inner(graph, graph[*producer], nodes)) more.push_back(*producer);
    }
  }
  return more;
}

}  // namespace

bool only_moves(const Node& node) {
  if (!node.domain.empty() || node.inputs.empty()) return false;
  if (node.op == "Concat") return true;
  if (node.op == "MaxPool") return node.outputs.size() == 1 || node.outputs[1].empty();
  return node.op == "Resize" && node.text("mode", "nearest") == "nearest" &&
         node.text("coordinate_transformation_mode", "") != "tf_crop_and_resize";
}

std::size_t moved_inputs(const Node& node) { return node.op == "Concat" ? node.inputs.size() : 1; }

std::optional<Movement> movement_to(const Graph& graph, std::string_view value) {
  const auto last = graph.producer(value);
  if (!last || !only_moves(graph[*last])) return std::nullopt;
  Movement movement{.nodes = {*last}, .entries = {}};
  for (auto more = more_of(graph, movement.nodes); !more.empty();
       more = more_of(graph, movement.nodes)) {
    movement.nodes.insert(more.begin(), more.end());
  }
  for (const NodeId id : graph.nodes()) {
    if (!movement.nodes.contains(id)) continue;
    for (std::size_t input = 0; input < moved_inputs(graph[id]); ++input) {
      const std::string& name = graph[id].inputs[input];
      const auto producer = graph.producer(name);
      if (producer && movement.nodes.contains(*producer)) continue;
      if (!producer && !graph.is_input(name)) return std::nullopt;
      movement.entries.push_back({id, input});
    }
  }
  return movement;
}

std::vector<std::string> sources_of(const Graph& graph, const Movement& movement) {
  std::vector<std::string> sources;
  for (const Use& entry : movement.entries) {
    const std::string& name = graph[entry.node].inputs[entry.input];
    if (std::ranges::find(sources, name) == sources.end()) sources.push_back(name);
  }
  return sources;
}

std::vector<NodeId> dequantizers_of(const Graph& graph, const std::string& value) {
  std::vector<NodeId> found;
  std::set<std::string> seen{value};
  std::vector<std::string> open{value};
  while (!open.empty()) {
    const auto producer = graph.producer(open.back());
    open.pop_back();
    if (!producer) return {};
    const Node& node = graph[*producer];
    if (node.op == "DequantizeLinear") {
      found.push_back(*producer);
      continue;
    }
    if (!only_moves(node)) return {};
    for (std::size_t input = 0; input < moved_inputs(node); ++input) {
      if (seen.insert(node.inputs[input]).second) open.push_back(node.inputs[input]);
    }
  }
  return found;
}

bool same_quantizer(const Graph& graph, const Node& a, const Node& b) {
  const Tensor* scale = single(graph, graph::input_or_empty(a, 1));
  const Tensor* other_scale = single(graph, graph::input_or_empty(b, 1));
  const Tensor* zero = single(graph, graph::input_or_empty(a, 2));
  const Tensor* other_zero = single(graph, graph::input_or_empty(b, 2));
  if (scale == nullptr || other_scale == nullptr || zero == nullptr || other_zero == nullptr) {
    return false;
  }
  return scale->dtype() == other_scale->dtype() && zero->dtype() == other_zero->dtype() &&
         scale->to_floats() == other_scale->to_floats() &&
         zero->to_integers() == other_zero->to_integers();
}

}  // namespace yoloq::quantize::detail
