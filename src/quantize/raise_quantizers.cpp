// SPDX-License-Identifier: Apache-2.0
#include "quantize/raise_quantizers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "quantize/detail/moves.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Use;

namespace {

/// A QuantizeLinear and the one DequantizeLinear behind it.
struct QuantizerPair {
  NodeId quantize;
  NodeId dequantize;
};

/// The pair that `id` begins, if nothing else reads its codes.
std::optional<QuantizerPair> pair_at(const Graph& graph, NodeId id) {
  if (graph[id].op != "QuantizeLinear" || graph.readers(graph[id].output()) != 1) {
    return std::nullopt;
  }
  const auto uses = graph.uses(graph[id].output());
  if (uses.size() != 1 || uses[0].input != 0) return std::nullopt;
  const Node& reader = graph[uses[0].node];
  if (reader.op != "DequantizeLinear" || graph.is_output(reader.output())) return std::nullopt;
  if (!detail::same_quantizer(graph, graph[id], reader)) return std::nullopt;
  return QuantizerPair{id, uses[0].node};
}

/// True if `value` has no quantizer, or one as `like`.
bool may_have(const Graph& graph, const std::string& value, const Node& like) {
  return std::ranges::all_of(graph.uses(value), [&](const Use& use) {
    const Node& reader = graph[use.node];
    return reader.op != "QuantizeLinear" ||
           (pair_at(graph, use.node) && detail::same_quantizer(graph, reader, like));
  });
}

bool can_raise(const Graph& graph, const detail::Movement& movement, const Node& quantize) {
  const auto sources = detail::sources_of(graph, movement);
  return std::ranges::all_of(
      sources, [&](const std::string& value) { return may_have(graph, value, quantize); });
}

/// What stands for `value` behind a quantizer that is there already; empty if none is.
std::string rounded_by_present(const Graph& graph, const std::string& value, const Node& like) {
  const auto producer = graph.producer(value);
  if (producer && graph[*producer].op == "DequantizeLinear" &&
      detail::same_quantizer(graph, graph[*producer], like)) {
    return value;
  }
  for (const Use& use : graph.uses(value)) {
    const auto pair = pair_at(graph, use.node);
    if (pair) return graph[pair->dequantize].output();
  }
  return {};
}

/// Puts a quantizer as `like` behind `value`; its result.
std::string rounded_anew(Graph& graph, const std::string& value, const Node& like) {
  Node quantize = like;
  quantize.name = value + "/QuantizeLinear";
  quantize.inputs[0] = value;
  quantize.outputs = {graph.fresh_value_name(value + "/quantized")};
  Node dequantize{.op = "DequantizeLinear",
                  .name = value + "/DequantizeLinear",
                  .inputs = {quantize.output(), like.inputs[1], like.inputs[2]},
                  .outputs = {graph.fresh_value_name(value + "/dequantized")}};
  const std::string result = dequantize.output();
  const auto producer = graph.producer(value);
  const NodeId first = producer ? graph.insert_after(*producer, std::move(quantize))
                                : graph.insert_before(graph.nodes().front(), std::move(quantize));
  graph.insert_after(first, std::move(dequantize));
  return result;
}

void raise(Graph& graph, const QuantizerPair& pair, const detail::Movement& movement) {
  const Node quantize = graph[pair.quantize];
  graph.replace_uses(graph[pair.dequantize].output(), quantize.inputs[0]);
  graph.erase(pair.dequantize);
  graph.erase(pair.quantize);
  for (const Use& entry : movement.entries) {
    const std::string value = graph[entry.node].inputs[entry.input];
    std::string rounded = rounded_by_present(graph, value, quantize);
    if (rounded.empty()) rounded = rounded_anew(graph, value, quantize);
    graph[entry.node].inputs[entry.input] = rounded;
  }
}

}  // namespace

int raise_quantizers(Graph& graph) {
  int raised = 0;
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains(id)) continue;
    const auto pair = pair_at(graph, id);
    if (!pair || graph.readers(graph[id].inputs[0]) != 1) continue;
    const auto movement = detail::movement_to(graph, graph[id].inputs[0]);
    if (!movement || !can_raise(graph, *movement, graph[id])) continue;
    raise(graph, *pair, *movement);
    ++raised;
  }
  return raised;
}

}  // namespace yoloq::quantize
