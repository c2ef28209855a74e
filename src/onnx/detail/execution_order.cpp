// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/execution_order.h"

#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "onnx/detail/node_proto.h"

namespace yoloq::onnx::detail {

namespace {

using graph::Graph;
using graph::Node;

/// Values that are there before any node runs.
using Given = std::unordered_set<std::string_view>;

/// The node that computes each value.
using Producers = std::unordered_map<std::string_view, std::size_t>;

Given given_by(const Graph& graph) {
  Given given;
  for (const graph::Port& port : graph.inputs) given.insert(port.name);
  for (const auto& [name, tensor] : graph.constants) given.insert(name);
  return given;
}

Producers producers_of(const Given& given, const std::vector<Node>& nodes) {
  Producers producers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].outputs) {
      if (output.empty()) continue;
      const auto [first, is_new] = producers.emplace(output, i);
      const bool is_given = given.contains(output);
      if (is_new && !is_given) continue;
      fail(ErrorCode::corrupt_file, "node {} computes the value '{}', which {} {} already",
           describe(nodes[i]), output,
           is_given ? "an input or constant" : describe(nodes[first->second]),
           is_given ? "is" : "computes");
    }
  }
  return producers;
}

/// Calls `visit` with each value that `node` or a subgraph of it reads.
template <typename Visit>
void for_each_read(const Node& node, Visit visit) {
  for (const auto* names : {&node.inputs, &node.captured}) {
    for (const std::string& name : *names) {
      if (!name.empty()) visit(name);
    }
  }
}

void require_outputs(const Graph& graph, const Given& given, const Producers& producers) {
  for (const graph::Port& port : graph.outputs) {
    if (given.contains(port.name) || producers.contains(port.name)) continue;
    fail(ErrorCode::corrupt_file, "the output '{}' of the graph is never computed", port.name);
  }
}

/// Per node, the nodes that must run before it; a node that reads a value twice lists it twice.
std::vector<std::vector<std::size_t>> dependencies(const Given& given,
                                                   const std::vector<Node>& nodes,
                                                   const Producers& producers) {
  std::vector<std::vector<std::size_t>> result(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for_each_read(nodes[i], [&](const std::string& name) {
      const auto producer = producers.find(name);
      if (producer != producers.end()) return result[i].push_back(producer->second);
      if (given.contains(name)) return;
      fail(ErrorCode::corrupt_file,
           "node {} reads the value '{}', which is no input, no constant and computed by no node",
           describe(nodes[i]), name);
    });
  }
  return result;
}

[[noreturn]] void fail_cycle(const std::vector<Node>& nodes,
                             const std::vector<std::size_t>& waits) {
  std::string names;
  int listed = 0;
  for (std::size_t i = 0; i < nodes.size() && listed < 5; ++i) {
    if (waits[i] == 0) continue;
    names += (listed++ == 0 ? "" : ", ") + describe(nodes[i]);
  }
  fail(ErrorCode::corrupt_file, "nodes wait for each other's outputs: {}", names);
}

}  // namespace

std::vector<Node> in_execution_order(const Graph& graph, std::vector<Node> nodes) {
  const Given given = given_by(graph);
  const Producers producers = producers_of(given, nodes);
  require_outputs(graph, given, producers);
  const auto needs = dependencies(given, nodes, producers);

  std::vector<std::vector<std::size_t>> readers(nodes.size());
  std::vector<std::size_t> waits(nodes.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::size_t before : needs[i]) readers[before].push_back(i);
    waits[i] = needs[i].size();
    if (waits[i] == 0) ready.push(i);
  }

  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    order.push_back(next);
    for (const std::size_t reader : readers[next]) {
      if (--waits[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() != nodes.size()) fail_cycle(nodes, waits);

  std::vector<Node> sorted;
  for (const std::size_t index : order) sorted.push_back(std::move(nodes[index]));
  return sorted;
}

}  // namespace yoloq::onnx::detail
