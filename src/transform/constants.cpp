// SPDX-License-Identifier: Apache-2.0
#include "transform/detail/constants.h"

namespace yoloq::transform::detail {

void set_constant_input(graph::Graph& graph, graph::NodeId node, std::size_t index,
                        const std::string& stem, Tensor value) {
  auto& inputs = graph[node].inputs;
  if (inputs.size() <= index) inputs.resize(index + 1);
  const bool own = graph.constant(inputs[index]) != nullptr && graph.readers(inputs[index]) == 1;
  const std::string name = own ? inputs[index] : graph.fresh_value_name(stem);
  graph[node].inputs[index] = name;
  graph.constants[name] = std::move(value);
}

const Tensor* float_constant(const graph::Graph& graph, const graph::Node& node,
                             std::size_t index) {
  const Tensor* tensor = graph.constant(graph::input_or_empty(node, index));
  return tensor != nullptr && tensor->dtype() == DType::f32 ? tensor : nullptr;
}

}  // namespace yoloq::transform::detail
