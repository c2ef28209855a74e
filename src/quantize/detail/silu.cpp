// SPDX-License-Identifier: Apache-2.0
#include "quantize/detail/silu.h"

namespace yoloq::quantize::detail {

int silu_input(const graph::Graph& graph, const graph::Node& mul) {
  if (mul.op != "Mul" || mul.inputs.size() != 2) return -1;
  const auto gates = [&](const std::string& gate, const std::string& value) {
    const auto producer = graph.producer(gate);
    return producer && graph[*producer].op == "Sigmoid" && graph[*producer].inputs[0] == value;
  };
  if (gates(mul.inputs[0], mul.inputs[1])) return 1;
  return gates(mul.inputs[1], mul.inputs[0]) ? 0 : -1;
}

}  // namespace yoloq::quantize::detail
