// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/captures.h"

#include <set>
#include <string_view>

namespace yoloq::onnx::detail {

namespace {

using ::onnx::GraphProto;

/// Values that a subgraph defines itself. Names are unique in it, so the order does not matter.
std::set<std::string_view> defined_in(const GraphProto& graph) {
  std::set<std::string_view> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  for (const auto& node : graph.node()) {
    names.insert(node.output().begin(), node.output().end());
  }
  return names;
}

/// Adds what `graph` and the graphs in it read and do not define.
void add_free_names(const GraphProto& graph, std::set<std::string>& names) {
  const auto own = defined_in(graph);
  std::set<std::string> read;
  for (const auto& node : graph.node()) {
    read.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) add_captures(attribute, read);
  }
  for (const auto& output : graph.output()) read.insert(output.name());
  for (const std::string& name : read) {
    if (!name.empty() && !own.contains(name)) names.insert(name);
  }
}

}  // namespace

void add_captures(const ::onnx::AttributeProto& attribute, std::set<std::string>& captured) {
  if (attribute.has_g()) add_free_names(attribute.g(), captured);
  for (const GraphProto& graph : attribute.graphs()) add_free_names(graph, captured);
}

}  // namespace yoloq::onnx::detail
