// SPDX-License-Identifier: Apache-2.0
#include "quantize/placement.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "quantize/detail/reach.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Use;

namespace {

constexpr std::pair<std::string_view, Residual> kResiduals[] = {
    {"none", Residual::none}, {"one", Residual::one}, {"both", Residual::both}};

/// Operators that only move or select values: their output fits their input's quantizer.
constexpr std::array<std::string_view, 2> kCommuting = {"MaxPool", "Resize"};

/// Operators that a uint8 runtime computes on codes.
constexpr std::array<std::string_view, 9> kOnCodes = {
    "Conv", "Sigmoid", "Mul", "Add", "MaxPool", "Resize", "Concat", "LeakyRelu", "Relu"};

/// Collects sites and keeps one per tensor.
class Sites {
 public:
  explicit Sites(const Graph& graph) : graph_(graph) {}

  Site& at(const std::string& tensor, const std::string& why) {
    const auto [place, is_new] = index_.emplace(tensor, sites_.size());
    if (is_new) sites_.push_back({.tensor = tensor, .readers = {}, .why = why, .shares = {}});
    return sites_[place->second];
  }

  bool contains(const std::string& tensor) const { return index_.contains(tensor); }

  void add(const std::string& tensor, Use reader, const std::string& why) {
    Site& site = at(tensor, why);
    if (std::ranges::find(site.readers, reader) == site.readers.end()) {
      site.readers.push_back(reader);
    }
  }

  /// Sorted by where in the graph the tensor comes to be.
  std::vector<Site> in_order() && {
    std::map<std::string_view, std::size_t> position;
    std::size_t next = 1;
    const std::vector<NodeId> nodes = graph_.nodes();
    for (const NodeId id : nodes) {
      for (const std::string& value : graph_[id].outputs) position[value] = next++;
    }
    std::ranges::stable_sort(sites_, {}, [&](const Site& site) {
      const auto found = position.find(site.tensor);
      return found == position.end() ? 0 : found->second;
    });
    return std::move(sites_);
  }

 private:
  const Graph& graph_;
  std::vector<Site> sites_;
  std::map<std::string, std::size_t> index_;
};

/// An Add of two computed values, neither of them a constant.
bool joins_branches(const Graph& graph, const Node& node) {
  return node.op == "Add" && node.inputs.size() == 2 && graph.constant(node.inputs[0]) == nullptr &&
         graph.constant(node.inputs[1]) == nullptr;
}

/// The input of `add` that skips the convolutions: the one that others read too; where that does
/// not decide, the one that is quantized already; else the first.
std::size_t skip_input(const Graph& graph, const Node& add, const Sites& sites) {
  const bool first_shared = graph.readers(add.inputs[0]) > 1;
  const bool second_shared = graph.readers(add.inputs[1]) > 1;
  if (first_shared != second_shared) return first_shared ? 0 : 1;
  if (sites.contains(add.inputs[0]) != sites.contains(add.inputs[1])) {
    return sites.contains(add.inputs[0]) ? 0 : 1;
  }
  return 0;
}

void place_residuals(const Graph& graph, Residual residual, Sites& sites) {
  if (residual == Residual::none) return;
  const auto inner = detail::ancestors_of_convolutions(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (!inner.contains(id) || !joins_branches(graph, node)) continue;
    const std::size_t skip = skip_input(graph, node, sites);
    for (std::size_t input = 0; input < 2; ++input) {
      if (input != skip && residual == Residual::one) continue;
      sites.add(node.inputs[input], {id, input}, "residual input of " + node.name);
    }
  }
}

/// Placement::every_op: each computed value that an operator on codes reads or writes.
void place_everywhere(const Graph& graph, std::span<const Layer> layers, Sites& sites) {
  std::set<NodeId> float_convs;
  for (const NodeId id : graph.nodes()) {
    if (graph[id].op == "Conv") float_convs.insert(id);
  }
  for (const Layer& layer : layers) float_convs.erase(layer.node);

  const auto inner = detail::ancestors_of_convolutions(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    const bool on_codes = std::ranges::find(kOnCodes, node.op) != kOnCodes.end();
    if (!inner.contains(id) || !on_codes || float_convs.contains(id)) continue;
    const bool commutes = std::ranges::find(kCommuting, node.op) != kCommuting.end();
    const std::size_t activations = commutes || node.op == "Conv" ? 1 : node.inputs.size();
    for (std::size_t input = 0; input < activations; ++input) {
      const std::string& value = node.inputs[input];
      if (graph.constant(value) == nullptr) sites.add(value, {id, input}, "input of " + node.name);
    }
    Site& result = sites.at(node.output(), "result of " + node.name);
    if (commutes && result.tensor != node.inputs[0]) result.shares = node.inputs[0];
  }
}

/// A float layer goes on reading float, and what is left without a reader is no site.
std::vector<Site> without_idle(std::vector<Site> sites) {
  std::set<std::string> needed;
  for (const Site& site : sites) {
    if (!site.readers.empty()) needed.insert(site.shares);
  }
  std::erase_if(sites, [&](const Site& site) {
    return site.readers.empty() && !needed.contains(site.tensor);
  });
  return sites;
}

}  // namespace

Residual residual_named(std::string_view name) {
  for (const auto& [known, residual] : kResiduals) {
    if (known == name) return residual;
  }
  fail(ErrorCode::bad_argument, "no residual mode '{}'; known: none, one, both", name);
}

std::string_view name_of(Residual residual) {
  return std::ranges::find(kResiduals, residual, &std::pair<std::string_view, Residual>::second)
      ->first;
}

std::vector<Site> place(const Graph& graph, std::span<const Layer> int8_layers,
                        const PlacementOptions& options) {
  Sites sites(graph);
  if (int8_layers.empty()) return {};
  if (options.placement == Placement::every_op) place_everywhere(graph, int8_layers, sites);
  for (const Layer& layer : int8_layers) {
    sites.add(layer.input, {layer.node, 0}, "input of " + layer.name);
  }
  if (options.placement != Placement::every_op) {
    place_residuals(graph, options.residual, sites);
  }
  return without_idle(std::move(sites).in_order());
}

}  // namespace yoloq::quantize
