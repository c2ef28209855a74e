// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/difference.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace yoloq::sensitivity {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::size_t kFeatureMapRank = 4;

/// Decides, node by node in execution order, which values of `variant` are other than in `base`.
class Comparison {
 public:
  Comparison(const Graph& base, const Graph& variant) : base_(base), variant_(variant) {
    for (const NodeId id : base.nodes()) {
      for (const std::string& value : base[id].outputs) producers_[value] = id;
    }
    for (const NodeId id : variant.nodes()) {
      const Node& node = variant[id];
      if (is_same(node)) continue;
      changed_nodes_.push_back(id);
      changed_.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  bool changed(std::string_view value) const { return changed_.contains(value); }
  const std::vector<NodeId>& changed_nodes() const { return changed_nodes_; }

 private:
  bool is_same(const Node& node) const {
    const auto twin = producers_.find(node.output());
    if (twin == producers_.end() || base_[twin->second] != node) return false;
    const auto same = [&](const std::string& value) { return is_same_value(value); };
    return std::ranges::all_of(node.inputs, same) && std::ranges::all_of(node.captured, same);
  }

  bool is_same_value(const std::string& value) const {
    if (value.empty()) return true;
    const Tensor* here = variant_.constant(value);
    const Tensor* there = base_.constant(value);
    if (here != nullptr || there != nullptr) {
      return here != nullptr && there != nullptr && *here == *there;
    }
    return !changed_.contains(value);
  }

  const Graph& base_;
  const Graph& variant_;
  std::map<std::string_view, NodeId> producers_;
  std::set<std::string_view> changed_;
  std::vector<NodeId> changed_nodes_;
};

/// Adds `value` of `base` as an input of `part` under its own name.
void add_input(Graph& part, const Graph& base, const std::string& value) {
  const graph::ValueType type = base.type_of(value);
  if (!type.dims || type.dims->size() != kFeatureMapRank || base.is_input(value)) {
    part.inputs.push_back({value, type});
    return;
  }
  const graph::Dims& dims = *type.dims;
  Node first{.op = "Transpose", .inputs = {value + "_nhwc"}, .outputs = {value}};
  first.attributes["perm"] = std::vector<std::int64_t>{0, 3, 1, 2};
  part.inputs.push_back({first.inputs[0], {type.dtype, {{dims[0], dims[2], dims[3], dims[1]}}}});
  part.append(std::move(first));
}

bool is_computed_by_base(const Graph& variant, const Comparison& comparison,
                         const std::string& value) {
  return !value.empty() && variant.constant(value) == nullptr && !comparison.changed(value);
}

/// The values of `base` that changed nodes read, in the order in which they are read.
std::vector<std::string> inputs_of(const Graph& variant, const Comparison& comparison) {
  std::vector<std::string> inputs;
  for (const NodeId id : comparison.changed_nodes()) {
    std::vector<std::string> read = variant[id].inputs;
    read.insert(read.end(), variant[id].captured.begin(), variant[id].captured.end());
    for (const std::string& value : read) {
      if (!is_computed_by_base(variant, comparison, value)) continue;
      if (std::ranges::find(inputs, value) == inputs.end()) inputs.push_back(value);
    }
  }
  return inputs;
}

}  // namespace

Difference difference(const Graph& base, const Graph& variant) {
  const auto names = [](const Graph& graph) {
    std::vector<std::string> result;
    for (const graph::Port& port : graph.outputs) result.push_back(port.name);
    return result;
  };
  if (names(base) != names(variant)) {
    fail(ErrorCode::bad_argument, "two graphs with different outputs cannot be compared");
  }
  const Comparison comparison(base, variant);
  Difference part{.inputs = inputs_of(variant, comparison)};
  part.graph.opsets = variant.opsets;
  part.graph.ir_version = variant.ir_version;
  for (const std::string& value : part.inputs) add_input(part.graph, base, value);
  for (const NodeId id : comparison.changed_nodes()) {
    for (const std::string& value : variant[id].inputs) {
      if (const Tensor* constant = variant.constant(value)) part.graph.constants[value] = *constant;
    }
    part.graph.append(variant[id]);
  }
  for (std::size_t i = 0; i < base.outputs.size(); ++i) {
    if (!comparison.changed(base.outputs[i].name)) continue;
    part.outputs.push_back(i);
    part.graph.outputs.push_back(base.outputs[i]);
  }
  if (!part.outputs.empty()) return part;
  fail(ErrorCode::bad_argument, "the two graphs compute the same");
}

}  // namespace yoloq::sensitivity
