// SPDX-License-Identifier: Apache-2.0
#include "quantize/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "quantize/detail/moves.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;

namespace {

/// The DequantizeLinear that makes input `index` of `conv`, or nullptr.
const Node* dequantizer(const Graph& graph, const Node& conv, std::size_t index) {
  const auto producer = graph.producer(graph::input_or_empty(conv, index));
  if (!producer || graph[*producer].op != "DequantizeLinear") return nullptr;
  return &graph[*producer];
}

void check_activation(const Graph& graph, const Node& conv, LintRow& row) {
  const auto origins = detail::dequantizers_of(graph, conv.inputs[0]);
  if (origins.empty()) {
    row.obstacles.push_back(fmt::format("its input '{}' is not quantized", conv.inputs[0]));
    return;
  }
  const Node* node = &graph[origins[0]];
  for (const graph::NodeId id : origins) {
    if (id == origins[0] || detail::same_quantizer(graph, graph[id], *node)) continue;
    row.obstacles.push_back(
        fmt::format("its input '{}' joins values of different scales", conv.inputs[0]));
    break;
  }
  const Tensor* scale = graph.constant(graph::input_or_empty(*node, 1));
  if (scale != nullptr && scale->size() != 1) {
    row.obstacles.push_back(
        fmt::format("its input has {} scales; runtimes take one per tensor", scale->size()));
  }
  const Tensor* zero = graph.constant(graph::input_or_empty(*node, 2));
  if (zero == nullptr || zero->dtype() == DType::u8) {
    row.limits.emplace_back("TensorRT: uint8 activations");
  } else if (std::ranges::any_of(zero->to_integers(), [](auto code) { return code != 0; })) {
    row.limits.emplace_back("TensorRT: zero point other than 0");
  }
}

void check_weight(const Graph& graph, const Node& conv, LintRow& row) {
  const Node* node = dequantizer(graph, conv, 1);
  if (node == nullptr) {
    row.obstacles.emplace_back("its weight is not quantized");
    return;
  }
  const Tensor* scale = graph.constant(graph::input_or_empty(*node, 1));
  if (scale != nullptr && scale->size() > 1 && node->integer("axis", 1) != 0) {
    row.obstacles.push_back(
        fmt::format("its weight has scales along axis {}, not the output "
                    "channels",
                    node->integer("axis", 1)));
  }
  if (graph.constant(node->inputs[0]) == nullptr) {
    row.limits.emplace_back("OpenVINO, TensorRT: weight codes are computed, not stored");
  }
}

/// Conv ──▶ QuantizeLinear ──▶ ... Sigmoid or Mul: the activation function runs apart.
void check_fusion(const Graph& graph, const Node& conv, LintRow& row) {
  const auto uses = graph.uses(conv.output());
  const bool requantized = std::ranges::any_of(
      uses, [&](const graph::Use& use) { return graph[use.node].op == "QuantizeLinear"; });
  const bool activated = std::ranges::any_of(uses, [&](const graph::Use& use) {
    return graph[use.node].op == "Sigmoid" || graph[use.node].op == "Mul";
  });
  if (!requantized) return;
  for (const graph::Use& use : uses) {
    const Node& quantize = graph[use.node];
    if (quantize.op != "QuantizeLinear") continue;
    for (const graph::Use& next : graph.uses(quantize.output())) {
      for (const graph::Use& reader : graph.uses(graph[next.node].output())) {
        const std::string& op = graph[reader.node].op;
        if (op != "Sigmoid" && op != "Mul" && !activated) continue;
        row.limits.emplace_back(
            "TensorRT, OpenVINO: quantized between Conv and its activation, "
            "which keeps them from fusing");
        return;
      }
    }
  }
}

/// True for a Conv that quantizable_layers() would count in the float form of this graph.
bool has_layer_id(const Graph& graph, const Node& conv) {
  const Tensor* weight = graph.constant(conv.inputs[1]);
  const Node* before = dequantizer(graph, conv, 1);
  while (weight == nullptr && before != nullptr) {
    weight = graph.constant(before->inputs[0]);
    const auto producer = graph.producer(before->inputs[0]);
    before = producer && graph[*producer].op == "QuantizeLinear" ? &graph[*producer] : nullptr;
  }
  return weight != nullptr && weight->rank() == 4 && graph.constant(conv.inputs[0]) == nullptr;
}

}  // namespace

std::vector<LintRow> lint(const Graph& graph) {
  std::vector<LintRow> rows;
  int next_id = 0;
  for (const graph::NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (node.op != "Conv" || !node.domain.empty() || node.inputs.size() < 2) continue;
    LintRow row{.name = node.name};
    if (has_layer_id(graph, node)) row.id = next_id++;
    check_activation(graph, node, row);
    check_weight(graph, node, row);
    check_fusion(graph, node, row);
    row.int8 = row.obstacles.empty();
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace yoloq::quantize
