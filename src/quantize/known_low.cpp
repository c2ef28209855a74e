// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "calibrate/calibrator.h"
#include "quantize/detail/silu.h"
#include "quantize/placement.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;

namespace {

using Bound = std::optional<float>;

class Bounds {
 public:
  explicit Bounds(const Graph& graph) : graph_(graph) {}

  Bound of(const std::string& value) {
    if (const auto found = known_.find(value); found != known_.end()) return found->second;
    known_[value] = std::nullopt;  // Also stops a walk through a graph with a loop.
    const auto producer = graph_.producer(value);
    return known_[value] = producer ? of_node(graph_[*producer]) : std::nullopt;
  }

 private:
  Bound of_node(const Node& node) {
    if (detail::silu_input(graph_, node) >= 0) return calibrate::kSiluMinimum;
    if (node.op == "HardSwish") return detail::kHardswishLow;
    if (node.op == "Sigmoid" || node.op == "Relu") return 0.0f;
    if (node.op == "MaxPool" || node.op == "Resize") return of(node.inputs[0]);
    if (node.op == "Concat") return smallest(node);
    if (node.op == "Add" && node.inputs.size() == 2) return sum(node);
    return std::nullopt;
  }

  Bound smallest(const Node& node) {
    Bound low = of(node.inputs.front());
    for (const std::string& input : node.inputs) {
      const Bound other = of(input);
      low = low && other ? Bound(std::min(*low, *other)) : std::nullopt;
    }
    return low;
  }

  Bound sum(const Node& node) {
    const Bound a = of(node.inputs[0]);
    const Bound b = of(node.inputs[1]);
    return a && b ? Bound(*a + *b) : std::nullopt;
  }

  const Graph& graph_;
  std::map<std::string, Bound> known_;
};

}  // namespace

std::optional<float> known_low(const Graph& graph, std::string_view tensor) {
  return Bounds(graph).of(std::string(tensor));
}

}  // namespace yoloq::quantize
