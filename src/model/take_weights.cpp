// SPDX-License-Identifier: Apache-2.0
#include "model/take_weights.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "core/error.h"

namespace yoloq::model {

namespace {

bool has_norm(const graph::Graph& graph) {
  return std::ranges::any_of(
      graph.nodes(), [&](graph::NodeId id) { return graph[id].op == "BatchNormalization"; });
}

/// The constants that training changes, each once.
std::set<std::string> weight_names(const graph::Graph& graph) {
  std::set<std::string> names;
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& node = graph[id];
    if (node.op != "Conv" && node.op != "BatchNormalization") continue;
    std::ranges::copy_if(node.inputs, std::inserter(names, names.end()),
                         [&](const auto& input) { return graph.constant(input) != nullptr; });
  }
  return names;
}

}  // namespace

TakenWeights take_weights(graph::Graph& graph, const graph::Graph& trained) {
  if (has_norm(graph) && !has_norm(trained)) {
    fail(ErrorCode::unsupported,
         "its BatchNormalization is folded into its convolutions, which do not fit a model that "
         "has one; expected a checkpoint as training writes it");
  }
  const std::set<std::string> names = weight_names(graph);
  TakenWeights result{.all = names.size()};
  for (const std::string& name : names) {
    Tensor& own = graph.constants.at(name);
    const Tensor* const other = trained.constant(name);
    if (other == nullptr || other->dtype() != own.dtype() || other->shape() != own.shape()) {
      continue;
    }
    own = *other;
    ++result.taken;
  }
  if (result.taken > 0) return result;
  fail(ErrorCode::bad_argument,
       "none of its tensors has the name and shape of one of the model's {}; start without it, or "
       "from a checkpoint of a similar architecture",
       result.all);
}

}  // namespace yoloq::model
