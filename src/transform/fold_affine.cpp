// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_affine.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "transform/detail/constants.h"

namespace yoloq::transform {

using detail::float_constant;
using graph::Graph;
using graph::input_or_empty;
using graph::Node;
using graph::NodeId;

namespace {

/// What to fold, and where.
struct Match {
  NodeId conv{};
  std::vector<float> factors{};  ///< One per output channel.
};

/// One element for each of `channels`, if the constant is one per channel of a [N, O, H, W] value.
std::optional<std::vector<float>> per_channel(const Tensor& constant, std::size_t channels,
                                              std::size_t rank) {
  const auto values = constant.values<float>();
  if (constant.shape().size() > rank) return std::nullopt;
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  Shape padded(rank - constant.shape().size(), 1);
  padded.insert(padded.end(), constant.shape().begin(), constant.shape().end());
  Shape expected(rank, 1);
  expected[1] = static_cast<std::int64_t>(channels);
  if (padded != expected) return std::nullopt;
  return std::vector<float>(values.begin(), values.end());
}

std::optional<Match> match(const Graph& graph, const Node& node) {
  if ((node.op != "Mul" && node.op != "Add") || !node.domain.empty() || node.inputs.size() != 2) {
    return std::nullopt;
  }
  for (const std::size_t side : {0u, 1u}) {
    const Tensor* constant = float_constant(graph, node, 1 - side);
    const auto producer = graph.producer(node.inputs[side]);
    if (constant == nullptr || !producer) continue;
    const Node& conv = graph[*producer];
    const Tensor* weight = float_constant(graph, conv, 1);
    const bool owned = conv.op == "Conv" && conv.domain.empty() && weight != nullptr &&
                       weight->rank() >= 3 && graph.readers(conv.output()) == 1;
    const bool bias = input_or_empty(conv, 2).empty() || float_constant(graph, conv, 2) != nullptr;
    if (!owned || !bias) continue;
    auto factors = per_channel(*constant, static_cast<std::size_t>(weight->shape()[0]),
                               weight->shape().size());
    if (factors) return Match{*producer, std::move(*factors)};
  }
  return std::nullopt;
}

/// `tensor` with `function(element, factor of its channel)` in place of each element.
template <typename Function>
Tensor combined(const Tensor& tensor, const std::vector<float>& factors, Function function) {
  std::vector<float> values(tensor.values<float>().begin(), tensor.values<float>().end());
  const std::size_t each =
      factors.empty() ? 1 : std::max<std::size_t>(values.size() / factors.size(), 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(function(double{values[i]}, double{factors[i / each]}));
  }
  return Tensor::of<float>(tensor.shape(), values);
}

void fold(Graph& graph, const Node& node, const Match& found) {
  const std::string stem = graph[found.conv].name.empty() ? node.output() : graph[found.conv].name;
  const Tensor* given = float_constant(graph, graph[found.conv], 2);
  const Tensor bias = given != nullptr && given->size() == found.factors.size()
                          ? *given
                          : Tensor::list(std::vector<float>(found.factors.size(), 0.0f));
  if (node.op == "Add") {
    detail::set_constant_input(graph, found.conv, 2, stem + ".bias",
                               combined(bias, found.factors, std::plus()));
  } else {
    const Tensor weight = *graph.constant(graph[found.conv].inputs[1]);
    detail::set_constant_input(graph, found.conv, 1, stem + ".weight",
                               combined(weight, found.factors, std::multiplies()));
    if (given != nullptr) {
      detail::set_constant_input(graph, found.conv, 2, stem + ".bias",
                                 combined(bias, found.factors, std::multiplies()));
    }
  }
  Node& conv = graph[found.conv];
  graph.value_types.erase(conv.output());
  conv.outputs[0] = node.output();
}

}  // namespace

int fold_affine(Graph& graph) {
  int folded = 0;
  for (const NodeId id : graph.nodes()) {
    const auto found = match(graph, graph[id]);
    if (!found) continue;
    const Node node = graph[id];
    graph.erase(id);
    fold(graph, node, *found);
    ++folded;
  }
  return folded;
}

}  // namespace yoloq::transform
