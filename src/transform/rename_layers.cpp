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

/// `stem`, or with a number behind it if that is taken.
std::string free_name(const std::string& stem, const std::unordered_set<std::string>& taken) {
  std::string name = stem;
  for (int number = 1; taken.contains(name); ++number) name = stem + "_" + std::to_string(number);
  return name;
}

/// Gives layers without a name, or with one that an earlier layer has, one of their own.
int make_unique(Graph& graph, std::unordered_set<std::string>& taken) {
  std::unordered_set<std::string> layers;
  int renamed = 0;
  for (const NodeId id : graph.nodes()) {
    Node& node = graph[id];
    if (!is_layer(node) || (!node.name.empty() && layers.insert(node.name).second)) continue;
    node.name = free_name(node.name.empty() ? node.output() : node.name, taken);
    taken.insert(node.name);
    layers.insert(node.name);
    ++renamed;
  }
  return renamed;
}

}  // namespace

int rename_layers(Graph& graph) {
  std::unordered_set<std::string> taken;
  for (const NodeId id : graph.nodes()) taken.insert(graph[id].name);
  int renamed = 0;
  for (const NodeId id : graph.nodes()) {
    Node& node = graph[id];
    if (!is_layer(node)) continue;
    auto name = from_weight(source_of(graph, input_or_empty(node, 1)));
    if (!name) name = from_path(node);
    if (!name || *name == node.name || !taken.insert(*name).second) continue;
    node.name = *name;
    ++renamed;
  }
  return renamed + make_unique(graph, taken);
}

}  // namespace yoloq::transform
