// SPDX-License-Identifier: Apache-2.0
#include "transform/settle_shapes.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/shapes.h"
#include "transform/detail/aliases.h"

namespace yoloq::transform {

using graph::Element;
using graph::Graph;
using graph::input_or_empty;
using graph::Knowledge;
using graph::Known;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::int64_t kFirstResizeWithSizes = 11;

/// A text that is equal for values whose elements are; none if one of them is not known, or if
/// all are plain numbers, which fold_constants handles.
std::optional<std::string> key_of(const Known& known) {
  if (!known.elements || known.tensor || !known.type.dims) return std::nullopt;
  std::string key = std::string(name_of(known.type.dtype)) + (known.type.dims->empty() ? "" : "[]");
  for (const Element& element : *known.elements) {
    if (!element.known) return std::nullopt;
    key += '\n' + std::to_string(element.factor) + '*' + element.symbol + '+' +
           std::to_string(element.offset);
  }
  return key;
}

int merge_equal_sizes(Graph& graph, const Knowledge& knowledge) {
  detail::Aliases aliases(graph);
  std::unordered_map<std::string, std::string> first;
  std::vector<NodeId> repeated;
  for (const NodeId id : graph.nodes()) {
    aliases.apply(graph[id]);
    const Node& node = graph[id];
    if (node.outputs.size() != 1) continue;
    const auto key = key_of(knowledge.of(node.output()));
    if (!key) continue;
    const auto [place, is_new] = first.try_emplace(*key, node.output());
    if (!is_new && aliases.add(node.output(), place->second)) repeated.push_back(id);
  }
  for (const NodeId id : repeated) graph.erase(id);
  return static_cast<int>(repeated.size());
}

/// The target of a Reshape as constants, 0 and -1, if that says the same.
std::optional<std::vector<std::int64_t>> settled_target(const graph::Dims& from,
                                                        const std::vector<Element>& target) {
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const Element& element = target[i];
    const bool same = i < from.size() && !from[i].symbol.empty() &&
                      element == Element{true, 0, 1, from[i].symbol};
    result.push_back(same ? 0 : element.constant() ? element.offset : -1);
  }
  if (std::ranges::count(result, -1) > 1) return std::nullopt;
  return result;
}

bool settle_reshape(Graph& graph, const Knowledge& knowledge, Node& node) {
  if (node.op != "Reshape" || node.inputs.size() != 2 || node.integer("allowzero", 0) != 0) {
    return false;
  }
  const auto& from = knowledge.type_of(node.inputs[0]).dims;
  const auto& target = knowledge.of(node.inputs[1]).elements;
  if (!from || !target || graph.constant(node.inputs[1]) != nullptr) return false;
  const auto settled = settled_target(*from, *target);
  if (!settled) return false;
  const std::string name = graph.fresh_value_name(node.output() + ".shape");
  graph.constants[name] = Tensor::list(*settled);
  node.inputs[1] = name;
  return true;
}

/// size / from, where that is a whole number in every run.
std::optional<float> whole_scale(const graph::Dim& from, const Element& size) {
  if (!size.known) return std::nullopt;
  if (!from.known()) {
    const bool multiple = size.offset == 0 && size.factor > 0 && size.symbol == from.symbol;
    return multiple ? std::optional(static_cast<float>(size.factor)) : std::nullopt;
  }
  const bool multiple = size.constant() && from.size > 0 && size.offset % from.size == 0;
  if (!multiple) return std::nullopt;
  const std::int64_t scale = size.offset / from.size;
  return static_cast<float>(scale);
}

bool settle_resize(Graph& graph, const Knowledge& knowledge, Node& node) {
  const bool by_sizes = node.op == "Resize" && graph.opset() >= kFirstResizeWithSizes &&
                        !input_or_empty(node, 3).empty() && node.attributes.count("axes") == 0 &&
                        node.text("keep_aspect_ratio_policy", "stretch") == "stretch";
  if (!by_sizes || graph.constant(node.inputs[3]) != nullptr) return false;
  const auto& from = knowledge.type_of(node.inputs[0]).dims;
  const auto& sizes = knowledge.of(node.inputs[3]).elements;
  if (!from || !sizes || sizes->size() != from->size()) return false;
  std::vector<float> scales;
  for (std::size_t i = 0; i < from->size(); ++i) {
    const auto scale = whole_scale((*from)[i], (*sizes)[i]);
    if (!scale) return false;
    scales.push_back(*scale);
  }
  const std::string name = graph.fresh_value_name(node.output() + ".scales");
  graph.constants[name] = Tensor::list(scales);
  node.inputs = {node.inputs[0], node.inputs[1], name};
  return true;
}

}  // namespace

int settle_shapes(Graph& graph) {
  const Knowledge knowledge(graph);
  int settled = merge_equal_sizes(graph, knowledge);
  for (const NodeId id : graph.nodes()) {
    Node& node = graph[id];
    if (!node.domain.empty()) continue;
    if (settle_reshape(graph, knowledge, node)) ++settled;
    if (settle_resize(graph, knowledge, node)) ++settled;
  }
  return settled;
}

}  // namespace yoloq::transform
