// SPDX-License-Identifier: Apache-2.0
#include "graph/execute.h"

#include <unordered_map>

#include "core/error.h"
#include "graph/ops.h"

namespace yoloq::graph {

namespace {

using Values = std::unordered_map<std::string, Tensor>;

Values given_values(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  Values values(graph.constants.begin(), graph.constants.end());
  for (const Port& port : graph.inputs) {
    if (const auto given = inputs.find(port.name); given != inputs.end()) {
      values[port.name] = given->second;
    } else if (!values.contains(port.name)) {
      fail(ErrorCode::bad_argument, "no tensor was given for the graph's input '{}'", port.name);
    }
  }
  return values;
}

/// How many nodes and outputs are still to read each value.
std::unordered_map<std::string, std::size_t> count_readers(const Graph& graph) {
  std::unordered_map<std::string, std::size_t> readers;
  for (const NodeId id : graph.nodes()) {
    for (const auto& input : graph[id].inputs) ++readers[input];
  }
  for (const Port& output : graph.outputs) ++readers[output.name];
  return readers;
}

void run(const Graph& graph, const Node& node, Values& values) {
  const Op* op = find_op(node);
  if (op == nullptr) fail(ErrorCode::unsupported, "no reference kernel for operator {}", node.op);
  Call call{node, graph.opset(), {}};
  for (const auto& input : node.inputs) {
    const auto found = values.find(input);
    if (found == values.end() && !input.empty()) {
      fail(ErrorCode::corrupt_file, "nothing has written its input '{}'", input);
    }
    call.inputs.push_back(input.empty() ? nullptr : &found->second);
  }
  auto outputs = compute(*op, call);
  for (std::size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i) {
    values[node.outputs[i]] = std::move(outputs[i]);
  }
}

}  // namespace

std::map<std::string, Tensor> execute(const Graph& graph,
                                      const std::map<std::string, Tensor>& inputs) {
  Values values = given_values(graph, inputs);
  auto readers = count_readers(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    try {
      run(graph, node, values);
    } catch (const Error& error) {
      throw error.within("while running node '" + node.name + "'");
    }
    for (const auto& input : node.inputs) {
      if (--readers[input] == 0) values.erase(input);
    }
  }
  std::map<std::string, Tensor> outputs;
  for (const Port& output : graph.outputs) {
    const auto found = values.find(output.name);
    if (found == values.end()) {
      fail(ErrorCode::unsupported, "the reference kernels do not compute '{}'", output.name);
    }
    outputs[output.name] = found->second;
  }
  return outputs;
}

}  // namespace yoloq::graph
