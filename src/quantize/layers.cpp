// SPDX-License-Identifier: Apache-2.0
#include "quantize/layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/error.h"
#include "quantize/detail/reach.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::size_t kSuggestions = 5;

bool is_quantizable(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || !node.domain.empty() || node.inputs.size() < 2) return false;
  const Tensor* weight = graph.constant(node.inputs[1]);
  return weight != nullptr && weight->rank() == 4 && weight->dtype() == DType::f32 &&
         graph.constant(node.inputs[0]) == nullptr;
}

/// Layer names that share the longest start with `pattern`, for an error message.
std::vector<std::string> closest(std::span<const Layer> layers, std::string_view pattern) {
  const auto shared = [&](const std::string& name) {
    const auto length = std::min(name.size(), pattern.size());
    const auto [end, ignored] = std::mismatch(name.begin(), name.begin() + length, pattern.begin());
    return end - name.begin();
  };
  std::vector<std::string> names;
  for (const Layer& layer : layers) names.push_back(layer.name);
  std::ranges::stable_sort(names, std::ranges::greater{}, shared);
  names.resize(std::min(names.size(), kSuggestions));
  return names;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<Layer> quantizable_layers(const Graph& graph) {
  const std::set<NodeId> before_a_conv = detail::ancestors_of_convolutions(graph);
  std::vector<Layer> layers;
  std::set<std::string_view> names;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (!is_quantizable(graph, node)) continue;
    if (node.name.empty() || !names.insert(node.name).second) {
      fail(ErrorCode::corrupt_file,
           "two convolutions are called '{}': layer names must be there and unique", node.name);
    }
    layers.push_back({.id = static_cast<int>(layers.size()),
                      .node = id,
                      .name = node.name,
                      .input = node.inputs[0],
                      .weight = node.inputs[1],
                      .bias = graph::input_or_empty(node, 2),
                      .feeds_head = !before_a_conv.contains(id)});
  }
  return layers;
}

void require_finite(const Graph& graph, const Layer& layer) {
  for (const auto& [what, name] : {std::pair("weight", &layer.weight), {"bias", &layer.bias}}) {
    const Tensor* tensor = graph.constant(*name);
    if (tensor == nullptr) continue;
    const std::vector<float> values = tensor->to_floats();
    const auto odd = std::ranges::find_if_not(values, [](float x) { return std::isfinite(x); });
    if (odd == values.end()) continue;
    fail(ErrorCode::bad_value,
         "the {} of layer '{}' holds {}: only finite numbers can be quantized; the model is broken "
         "(did its training diverge?)",
         what, layer.name, *odd);
  }
}

std::vector<int> matching_layers(std::span<const Layer> layers, std::string_view pattern) {
  const std::string text(pattern);
  std::vector<int> found;
  for (const Layer& layer : layers) {
    const bool same_id = is_number(pattern) && std::to_string(layer.id) == pattern;
    if (same_id || ::fnmatch(text.c_str(), layer.name.c_str(), 0) == 0) found.push_back(layer.id);
  }
  if (!found.empty()) return found;
  fail(ErrorCode::bad_argument,
       "no layer is called '{}'; the closest names are {} ('yoloq inspect' lists all {})", pattern,
       fmt::join(closest(layers, pattern), ", "), layers.size());
}

}  // namespace yoloq::quantize
