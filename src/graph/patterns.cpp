// SPDX-License-Identifier: Apache-2.0
#include "graph/patterns.h"

namespace yoloq::graph {

std::optional<Silu> silu_of(const Graph& graph, std::string_view value) {
  const auto uses = graph.uses(value);
  if (uses.size() != 2 || graph.is_output(value)) return std::nullopt;
  const bool gate_first = graph[uses[0].node].op == "Sigmoid";
  const Silu silu{.sigmoid = uses[gate_first ? 0 : 1].node, .mul = uses[gate_first ? 1 : 0].node};
  const Node& sigmoid = graph[silu.sigmoid];
  const Node& mul = graph[silu.mul];
  const bool alike = sigmoid.op == "Sigmoid" && mul.op == "Mul" && sigmoid.domain.empty() &&
                     mul.domain.empty() && mul.inputs.size() == 2;
  if (!alike || graph.readers(sigmoid.output()) != 1) return std::nullopt;
  const bool gated = mul.inputs[0] == sigmoid.output() || mul.inputs[1] == sigmoid.output();
  return gated ? std::optional(silu) : std::nullopt;
}

}  // namespace yoloq::graph
