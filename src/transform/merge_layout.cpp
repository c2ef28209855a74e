// SPDX-License-Identifier: Apache-2.0
#include "transform/merge_layout.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace yoloq::transform {

using graph::Graph;
using graph::input_or_empty;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::array<std::string_view, 4> kKeepOrder = {"Reshape", "Flatten", "Squeeze",
                                                        "Unsqueeze"};

bool merge_reshape(const Graph& graph, const Node& first, Node& second) {
  if (second.op != "Reshape" || std::ranges::find(kKeepOrder, first.op) == kKeepOrder.end()) {
    return false;
  }
  const Tensor* target = graph.constant(input_or_empty(second, 1));
  if (target == nullptr || target->dtype() != DType::i64) return false;
  if (std::ranges::count(target->values<std::int64_t>(), 0) > 0) return false;
  second.inputs[0] = first.inputs[0];
  return true;
}

bool merge_transpose(const Node& first, Node& second) {
  if (first.op != "Transpose" || second.op != "Transpose") return false;
  const auto inner = first.integers("perm");
  auto outer = second.integers("perm");
  if (inner.empty() || inner.size() != outer.size()) return false;
  for (auto& axis : outer) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(inner.size())) return false;
    axis = inner[static_cast<std::size_t>(axis)];
  }
  second.attributes["perm"] = outer;
  second.inputs[0] = first.inputs[0];
  return true;
}

/// The constants of a Slice: starts, ends, axes, steps.
struct SliceLists {
  std::array<std::vector<std::int64_t>, 4> lists;

  const std::vector<std::int64_t>& axes() const { return lists[2]; }
};

std::optional<SliceLists> lists_of(const Graph& graph, const Node& node) {
  SliceLists result;
  if (node.op != "Slice" || node.inputs.size() < 4) return std::nullopt;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string& name = input_or_empty(node, i + 1);
    const Tensor* tensor = graph.constant(name);
    const bool is_step = i == 3;
    if (is_step && name.empty()) {
      result.lists[i].assign(result.lists[0].size(), 1);
    } else if (tensor != nullptr && tensor->dtype() == DType::i64) {
      result.lists[i] = tensor->to_integers();
    } else {
      return std::nullopt;
    }
    if (result.lists[i].size() != result.lists[0].size()) return std::nullopt;
  }
  const bool from_front = std::ranges::all_of(result.axes(), [](auto axis) { return axis >= 0; });
  return from_front ? std::optional(result) : std::nullopt;
}

bool merge_slice(Graph& graph, const Node& first, Node& second) {
  const auto inner = lists_of(graph, first);
  const auto outer = lists_of(graph, second);
  if (!inner || !outer) return false;
  const auto sliced = [&](std::int64_t axis) {
    return std::ranges::find(inner->axes(), axis) != inner->axes().end();
  };
  if (std::ranges::any_of(outer->axes(), sliced)) return false;
  constexpr std::array<const char*, 4> kNames = {"starts", "ends", "axes", "steps"};
  second.inputs.resize(5);
  for (std::size_t i = 0; i < 4; ++i) {
    auto joined = inner->lists[i];
    joined.insert(joined.end(), outer->lists[i].begin(), outer->lists[i].end());
    const std::string name = graph.fresh_value_name(second.output() + "." + kNames[i]);
    graph.constants[name] = Tensor::list(joined);
    second.inputs[i + 1] = name;
  }
  second.inputs[0] = first.inputs[0];
  return true;
}

}  // namespace

int merge_layout(Graph& graph) {
  std::unordered_map<std::string, NodeId> producers;
  int merged = 0;
  for (const NodeId id : graph.nodes()) {
    Node& node = graph[id];
    for (const auto& output : node.outputs) producers[output] = id;
    const auto producer = producers.find(input_or_empty(node, 0));
    if (producer == producers.end() || !node.domain.empty()) continue;
    const Node& before = graph[producer->second];
    if (!before.domain.empty() || before.inputs.empty()) continue;
    const bool done = merge_reshape(graph, before, node) || merge_transpose(before, node) ||
                      merge_slice(graph, before, node);
    merged += done ? 1 : 0;
  }
  return merged;
}

}  // namespace yoloq::transform
