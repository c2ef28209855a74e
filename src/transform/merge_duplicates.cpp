// SPDX-License-Identifier: Apache-2.0
#include "transform/merge_duplicates.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/hash.h"
#include "transform/detail/aliases.h"

namespace yoloq::transform {

using detail::Aliases;
using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

/// Operators whose constants are a layer's parameters.
constexpr std::array<std::string_view, 7> kParameterReaders = {
    "Conv",           "ConvTranspose",   "Gemm", "MatMul", "BatchNormalization",
    "QuantizeLinear", "DequantizeLinear"};

/// Operators that give something else each time.
constexpr std::array<std::string_view, 7> kRandom = {
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
    "Bernoulli",    "Multinomial",   "Dropout"};

template <typename List>
bool contains(const List& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool holds_opaque(const Node& node) {
  return std::ranges::any_of(node.attributes, [](const auto& row) {
    return std::holds_alternative<graph::Opaque>(row.second);
  });
}

std::string key_of(const Tensor& tensor) {
  return Hasher()
      .add(name_of(tensor.dtype()))
      .add(to_string(tensor.shape()))
      .add(tensor.bytes())
      .hex();
}

std::string key_of(const Node& node) {
  std::string key = node.domain + '\n' + node.op;
  for (const auto& input : node.inputs) key += '\n' + input;
  return key;
}

std::unordered_set<std::string> parameters_of(const Graph& graph) {
  std::unordered_set<std::string> names;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (!contains(kParameterReaders, node.op)) continue;
    names.insert(node.inputs.begin(), node.inputs.end());
  }
  return names;
}

int merge_constants(const Graph& graph, Aliases& aliases) {
  const auto parameters = parameters_of(graph);
  std::unordered_map<std::string, std::string> first;
  int merged = 0;
  for (const auto& [name, tensor] : graph.constants) {
    if (size_of(tensor.dtype()) == 0 || parameters.contains(name)) continue;
    const auto [place, is_new] = first.try_emplace(key_of(tensor), name);
    const bool repeats = !is_new && tensor == *graph.constant(place->second);
    if (repeats && aliases.add(name, place->second)) ++merged;
  }
  return merged;
}

}  // namespace

int merge_duplicates(Graph& graph) {
  Aliases aliases(graph);
  int merged = merge_constants(graph, aliases);
  std::unordered_map<std::string, std::vector<NodeId>> seen;
  for (const NodeId id : graph.nodes()) {
    aliases.apply(graph[id]);
    const Node& node = graph[id];
    if (contains(kRandom, node.op) || holds_opaque(node) || !node.captured.empty()) continue;
    auto& twins = seen[key_of(node)];
    const auto same = [&](NodeId other) {
      return graph[other].attributes == node.attributes &&
             graph[other].outputs.size() == node.outputs.size();
    };
    const auto twin = std::ranges::find_if(twins, same);
    if (twin == twins.end()) {
      twins.push_back(id);
    } else if (aliases.add_all(node.outputs, graph[*twin].outputs)) {
      graph.erase(id);
      ++merged;
    }
  }
  aliases.remove_constants(graph);
  return merged;
}

}  // namespace yoloq::transform
