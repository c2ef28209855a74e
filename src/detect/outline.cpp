// SPDX-License-Identifier: Apache-2.0
#include "detect/detail/outline.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "detect/detail/anchors.h"
#include "graph/shapes.h"

namespace yoloq::detect::detail {

namespace {

using graph::Dim;
using graph::Graph;
using graph::NodeId;

/// What an unknown size of the input is taken as: batch, channels, height, width.
constexpr std::array<std::int64_t, 4> kInput{1, 3, 640, 640};

/// The same graph with all sizes known that follow from the input's.
Graph sized(const Graph& graph) {
  Graph copy = graph;
  if (copy.node_count() == 0 || copy.inputs.empty()) return copy;
  auto& dims = copy.inputs.front().type.dims;
  if (!dims) dims.emplace(kInput.size());
  if (dims->size() != kInput.size()) return copy;
  for (std::size_t i = 0; i < kInput.size(); ++i) {
    if (!(*dims)[i].known()) (*dims)[i] = Dim::fixed(kInput[i]);
  }
  for (graph::Port& output : copy.outputs) output.type.dims.reset();
  copy.value_types.clear();
  graph::infer_shapes(copy);
  return copy;
}

Shape shape_of(const Graph& graph, const std::string& value) {
  Shape shape;
  const graph::ValueType type = graph.type_of(value);
  if (!type.dims) return shape;
  for (const Dim& dim : *type.dims) shape.push_back(dim.known() ? dim.size : -1);
  return shape;
}

/// Input height over `height`, if it divides evenly.
int stride_of(const Graph& graph, std::int64_t height) {
  if (graph.inputs.empty()) return 0;
  const Shape input = shape_of(graph, graph.inputs.front().name);
  const bool known = input.size() == 4 && input[2] > 0 && height > 0 && input[2] % height == 0;
  return known ? static_cast<int>(input[2] / height) : 0;
}

/// Output channels of a Conv by its weight [O, ...], which may come through DequantizeLinear.
std::int64_t channels_of(const Graph& graph, const graph::Node& conv) {
  const std::string* weight = &graph::input_or_empty(conv, 1);
  for (auto from = graph.producer(*weight); from; from = graph.producer(*weight)) {
    const graph::Node& node = graph[*from];
    if (node.inputs.empty()) break;
    weight = &node.inputs.front();
  }
  const Tensor* const tensor = graph.constant(*weight);
  return tensor != nullptr && tensor->rank() > 0 ? tensor->shape()[0] : 0;
}

/// Walks graphs from values to what they are computed from.
class Walker {
 public:
  explicit Walker(const Graph& graph) : graph_(graph) {
    for (const NodeId id : graph.nodes()) {
      for (const std::string& output : graph[id].outputs) producers_[output] = id;
    }
  }

  /// The Convs that `value` is computed from without another Conv between.
  std::set<NodeId> sources(const std::string& value) const {
    std::set<NodeId> convs;
    std::set<NodeId> seen;
    std::vector<std::string> open{value};
    while (!open.empty()) {
      const auto producer = producers_.find(open.back());
      open.pop_back();
      if (producer == producers_.end() || !seen.insert(producer->second).second) continue;
      const graph::Node& node = graph_[producer->second];
      if (node.op == "Conv") {
        convs.insert(producer->second);
      } else if (node.op != "Shape") {  // Sizes are no values: heads may share a batch size.
        open.insert(open.end(), node.inputs.begin(), node.inputs.end());
      }
    }
    return convs;
  }

 private:
  const Graph& graph_;
  std::unordered_map<std::string, NodeId> producers_;
};

Source source_of(const Graph& graph, const graph::Node& conv) {
  const Shape shape = shape_of(graph, conv.output());
  return {.value = conv.output(),
          .channels = channels_of(graph, conv),
          .stride = shape.size() == 4 ? stride_of(graph, shape[2]) : 0};
}

/// Gives each source the anchors of the decoding that reads it.
void attach_anchors(const Graph& graph, const Walker& walker, Outline& outline) {
  for (const AnchorConstant& found : anchor_constants(graph)) {
    const std::set<NodeId> convs = walker.sources(found.product);
    if (convs.size() != 1) continue;
    const std::string& value = graph[*convs.begin()].output();
    for (Output& output : outline.outputs) {
      for (Source& source : output.sources) {
        if (source.value == value) source.anchors = found.anchors;
      }
    }
  }
}

}  // namespace

Outline outline_of(const Graph& graph) {
  const Graph known = sized(graph);
  const Walker walker(known);
  Outline outline{.has_nodes = graph.node_count() > 0};
  for (std::size_t i = 0; i < known.outputs.size(); ++i) {
    const std::string& name = known.outputs[i].name;
    Output output{.index = i, .name = name, .shape = shape_of(known, name)};
    const std::size_t rank = output.shape.size();
    if (rank == 4 || rank == 5) output.stride = stride_of(known, output.shape[2]);
    for (const NodeId id : walker.sources(name)) {
      output.sources.push_back(source_of(known, known[id]));
    }
    outline.outputs.push_back(std::move(output));
  }
  attach_anchors(known, walker, outline);
  return outline;
}

std::string described(const Outline& outline) {
  std::string text;
  for (const Output& output : outline.outputs) {
    text += fmt::format("{}'{}' ", text.empty() ? "" : ", ", output.name);
    text += output.shape.empty() ? "of unknown shape" : to_string(output.shape);
  }
  return text.empty() ? "none" : text;
}

}  // namespace yoloq::detect::detail
