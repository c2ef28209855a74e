// SPDX-License-Identifier: Apache-2.0
#include "detect/detail/anchors.h"

#include <algorithm>
#include <variant>

#include "graph/shapes.h"

namespace yoloq::detect::detail {

namespace {

using graph::Graph;
using graph::Node;

/// True for Pow(x, ...) and Mul(x, x).
bool is_square(const Graph& graph, const std::string& value) {
  const auto producer = graph.producer(value);
  if (!producer) return false;
  const Node& node = graph[*producer];
  return node.op == "Pow" || (node.op == "Mul" && node.inputs[0] == node.inputs[1]);
}

/// The constant behind Expand, Identity and the like; nullptr if there is none. Lives in `graph` or
/// `known`.
const Tensor* constant_behind(const Graph& graph, const graph::Knowledge& known,
                              const std::string& value) {
  if (const Tensor* constant = graph.constant(value)) return constant;
  const graph::Known& about = known.of(value);
  if (about.tensor) return &*about.tensor;
  const auto producer = graph.producer(value);
  if (!producer) return nullptr;
  const Node& node = graph[*producer];
  if (node.op == "Constant" && node.attributes.contains("value")) {
    return std::get_if<Tensor>(&node.attributes.at("value"));
  }
  const bool repeats = node.op == "Expand" || node.op == "Identity" || node.op == "Cast";
  return repeats ? constant_behind(graph, known, node.inputs.front()) : nullptr;
}

/// One anchor per entry of dimension 1 of [1, na, H, W, 2]; empty if the tensor is none such.
std::vector<model::Anchor> anchors_in(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  if (tensor.dtype() != DType::f32 || shape.size() != 5 || shape[0] != 1 || shape[4] != 2)
    return {};
  const auto values = tensor.values<float>();
  if (values.empty() || !std::ranges::all_of(values, [](float side) { return side > 0; }))
    return {};
  const auto step = values.size() / static_cast<std::size_t>(shape[1]);
  std::vector<model::Anchor> anchors;
  for (std::size_t at = 0; at < values.size(); at += step) {
    anchors.push_back({values[at], values[at + 1]});
  }
  return anchors;
}

}  // namespace

std::vector<AnchorConstant> anchor_constants(const Graph& graph) {
  std::vector<AnchorConstant> found;
  if (graph.node_count() == 0) return found;
  const graph::Knowledge known(graph);
  for (const graph::NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (node.op != "Mul" || node.inputs.size() != 2) continue;
    for (std::size_t side = 0; side < 2; ++side) {
      if (!is_square(graph, node.inputs[1 - side])) continue;
      const Tensor* const constant = constant_behind(graph, known, node.inputs[side]);
      if (constant == nullptr) continue;
      auto anchors = anchors_in(*constant);
      if (!anchors.empty()) found.push_back({node.output(), std::move(anchors)});
    }
  }
  return found;
}

}  // namespace yoloq::detect::detail
