// SPDX-License-Identifier: Apache-2.0
#include "runtime/expose.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/error.h"

namespace yoloq::runtime {

using graph::Graph;
using graph::Node;

namespace {

constexpr std::size_t kFeatureMapRank = 4;

bool has_rank_4(const Graph& graph, std::string_view value) {
  const auto dims = graph.type_of(value).dims;
  return dims && dims->size() == kFeatureMapRank;
}

/// True if `value` is known to be [N, C, H, W]: by its own type, or by the weight of a convolution
/// that reads it.
bool is_feature_map(const Graph& graph, const std::string& value) {
  if (has_rank_4(graph, value)) return true;
  return std::ranges::any_of(graph.uses(value), [&](const graph::Use& use) {
    const Node& node = graph[use.node];
    return node.op == "Conv" && use.input == 0 && has_rank_4(graph, node.inputs[1]);
  });
}

}  // namespace

Graph with_outputs(const Graph& graph, std::span<const std::string> values) {
  Graph result = graph;
  for (const std::string& value : values) {
    if (!graph.has_value(value)) {
      fail(ErrorCode::not_found, "the model has no value '{}' to look at", value);
    }
    graph::ValueType type = graph.type_of(value);
    if (type.dtype == DType::undefined) type.dtype = DType::f32;
    if (!is_feature_map(graph, value)) {
      result.outputs.push_back({value, type});
      continue;
    }
    Node last;
    last.op = "Transpose";
    last.inputs = {value};
    last.outputs = {result.fresh_value_name(value + "_nhwc")};
    last.attributes["perm"] = std::vector<std::int64_t>{0, 2, 3, 1};
    type.dims = graph::Dims(kFeatureMapRank);
    result.outputs.push_back({last.output(), type});
    result.append(std::move(last));
  }
  return result;
}

}  // namespace yoloq::runtime
