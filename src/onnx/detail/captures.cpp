// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/captures.h"

#include <algorithm>
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

/// What `graph` and the graphs in it read and do not define.
std::vector<std::string> free_names(const GraphProto& graph) {
  std::vector<std::string> read;
  for (const auto& node : graph.node()) {
    read.insert(read.end(), node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) add_captures(attribute, read);
  }
  for (const auto& output : graph.output()) read.push_back(output.name());

  const auto own = defined_in(graph);
  std::erase_if(read, [&](const std::string& name) { return name.empty() || own.contains(name); });
  return read;
}

}  // namespace

void add_captures(const ::onnx::AttributeProto& attribute, std::vector<std::string>& captured) {
  std::set<std::string> seen(captured.begin(), captured.end());
  const auto add = [&](const GraphProto& graph) {
    for (std::string& name : free_names(graph)) {
      if (seen.insert(name).second) captured.push_back(std::move(name));
    }
  };
  if (attribute.has_g()) add(attribute.g());
  std::ranges::for_each(attribute.graphs(), add);
}

}  // namespace yoloq::onnx::detail
