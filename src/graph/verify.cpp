// SPDX-License-Identifier: Apache-2.0
#include "graph/verify.h"

#include <string>
#include <string_view>
#include <unordered_set>

#include "core/error.h"

namespace yoloq::graph {

namespace {

using Names = std::unordered_set<std::string_view>;

/// "Conv 'model.0.conv'", or with its first output where it has no name.
std::string label(const Node& node) {
  const bool unnamed = node.name.empty() && !node.outputs.empty();
  return node.op + " '" + (unnamed ? node.output() : node.name) + "'";
}

Names written_by_inputs(const Graph& graph) {
  Names written;
  for (const Port& input : graph.inputs) {
    if (input.name.empty()) fail(ErrorCode::corrupt_file, "an input of the graph has no name");
    if (!written.insert(input.name).second) {
      fail(ErrorCode::corrupt_file, "two inputs of the graph are called '{}'", input.name);
    }
  }
  for (const auto& [name, tensor] : graph.constants) {
    if (name.empty()) fail(ErrorCode::corrupt_file, "a constant has no name");
    written.insert(name);
  }
  return written;
}

void check_reads(const Node& node, const Names& written) {
  const auto check = [&](const std::string& value) {
    if (value.empty() || written.contains(value)) return;
    fail(ErrorCode::corrupt_file,
         "{} reads '{}', which is no input, no constant and not written by a node before it",
         label(node), value);
  };
  for (const auto& value : node.inputs) check(value);
  for (const auto& value : node.captured) check(value);
}

void add_writes(const Node& node, Names& written) {
  if (node.outputs.empty()) {
    fail(ErrorCode::corrupt_file, "{} has no outputs, expected at least one", label(node));
  }
  for (const auto& value : node.outputs) {
    if (value.empty() || written.insert(value).second) continue;
    fail(ErrorCode::corrupt_file, "{} writes '{}', which is written already", label(node), value);
  }
}

}  // namespace

void verify(const Graph& graph) {
  Names written = written_by_inputs(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (node.op.empty()) {
      fail(ErrorCode::corrupt_file, "node '{}' has no operator", node.name);
    }
    check_reads(node, written);
    add_writes(node, written);
  }
  for (const Port& output : graph.outputs) {
    if (output.name.empty()) fail(ErrorCode::corrupt_file, "an output of the graph has no name");
    if (written.contains(output.name)) continue;
    fail(ErrorCode::corrupt_file, "the graph returns '{}', which nothing writes", output.name);
  }
}

}  // namespace yoloq::graph
