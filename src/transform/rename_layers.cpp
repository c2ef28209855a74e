// SPDX-License-Identifier: Apache-2.0
#include "transform/rename_layers.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace yoloq::transform {

using graph::Graph;
using graph::input_or_empty;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::string_view kWeight = ".weight";

/// The constant that a value is made of by quantization alone.
std::string source_of(const Graph& graph, std::string value) {
  for (int depth = 0; depth < 2; ++depth) {
    const auto producer = graph.producer(value);
    if (!producer) break;
    const Node& node = graph[*producer];
    if (node.op != "DequantizeLinear" && node.op != "QuantizeLinear") break;
    value = input_or_empty(node, 0);
  }
  return value;
}

std::optional<std::string> from_weight(const std::string& weight) {
  if (!weight.ends_with(kWeight) || weight.size() == kWeight.size()) return std::nullopt;
  const std::string stem = weight.substr(0, weight.size() - kWeight.size());
  const bool path = stem.find('.') != stem.npos && stem.find_first_of("/: ") == stem.npos;
  return path ? std::optional(stem) : std::nullopt;
}

/// "/a/b/Conv" as {"a", "b"}; a container before its own item ("m" before "m.0") is left out.
std::vector<std::string> modules_of(std::string_view path) {
  std::vector<std::string> modules;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    const std::string module(path.substr(0, end));
    path.remove_prefix(end);
    if (path.empty()) break;  // The operator itself.
    if (!modules.empty() && module.starts_with(modules.back() + ".")) modules.pop_back();
    modules.push_back(module);
  }
  return modules;
}

std::optional<std::string> from_path(const Node& conv) {
  const auto last = conv.name.rfind('/');
  const bool path =
      conv.name.starts_with('/') && last != 0 && conv.name.substr(last + 1) == conv.op;
  if (!path) return std::nullopt;
  std::string joined;
  for (const auto& module : modules_of(conv.name)) {
    joined += (joined.empty() ? "" : ".") + module;
  }
  return joined.empty() ? std::nullopt : std::optional(joined);
}

bool is_layer(const Node& node) { return node.op == "Conv" && node.domain.empty(); }

using Names = std::unordered_set<std::string>;

/// `stem`, or with a number behind it if that is taken.
std::string free_name(const std::string& stem, const Names& taken) {
  std::string name = stem;
  for (int number = 1; taken.contains(name); ++number) name = stem + "_" + std::to_string(number);
  return name;
}

std::string stem_of(const Node& node) {
  if (!node.name.empty()) return node.name;
  for (const std::string& output : node.outputs) {
    if (!output.empty()) return output;
  }
  return node.op;
}

/// Gives each of `nodes` without a name, or with one in `used`, one of its own. Adds them to both.
int make_unique(Graph& graph, const std::vector<NodeId>& nodes, Names& used, Names& taken) {
  int renamed = 0;
  for (const NodeId id : nodes) {
    Node& node = graph[id];
    if (!node.name.empty() && used.insert(node.name).second) continue;
    node.name = free_name(stem_of(node), taken);
    taken.insert(node.name);
    used.insert(node.name);
    ++renamed;
  }
  return renamed;
}

std::vector<NodeId> layers_of(const Graph& graph) {
  std::vector<NodeId> layers = graph.nodes();
  std::erase_if(layers, [&](const NodeId id) { return !is_layer(graph[id]); });
  return layers;
}

Names names_of(const Graph& graph) {
  Names names;
  for (const NodeId id : graph.nodes()) names.insert(graph[id].name);
  return names;
}

}  // namespace

int rename_layers(Graph& graph) {
  const std::vector<NodeId> layers = layers_of(graph);
  Names taken = names_of(graph);
  int renamed = 0;
  for (const NodeId id : layers) {
    Node& node = graph[id];
    auto name = from_weight(source_of(graph, input_or_empty(node, 1)));
    if (!name) name = from_path(node);
    if (!name || *name == node.name || !taken.insert(*name).second) continue;
    node.name = *name;
    ++renamed;
  }
  Names used;
  return renamed + make_unique(graph, layers, used, taken);
}

int name_nodes(Graph& graph) {
  const std::vector<NodeId> layers = layers_of(graph);
  std::vector<NodeId> others = graph.nodes();
  std::erase_if(others, [&](const NodeId id) { return is_layer(graph[id]); });
  Names taken = names_of(graph);
  Names used;
  const int renamed = make_unique(graph, layers, used, taken);
  return renamed + make_unique(graph, others, used, taken);
}

}  // namespace yoloq::transform
