// SPDX-License-Identifier: Apache-2.0
#include "quantize/detail/reach.h"

#include <algorithm>
#include <vector>

namespace yoloq::quantize::detail {

using graph::Graph;
using graph::Node;
using graph::NodeId;

std::set<NodeId> ancestors_of_convolutions(const Graph& graph) {
  std::set<NodeId> ancestors;
  std::set<std::string, std::less<>> wanted;
  std::vector<NodeId> order = graph.nodes();
  std::ranges::reverse(order);
  for (const NodeId id : order) {  // Readers come before producers in this direction.
    const Node& node = graph[id];
    const bool read = std::ranges::any_of(
        node.outputs, [&](const std::string& value) { return wanted.contains(value); });
    if (read) ancestors.insert(id);
    if (!read && node.op != "Conv") continue;
    for (const std::string& value : node.inputs) {
      if (!value.empty()) wanted.insert(value);
    }
  }
  return ancestors;
}

}  // namespace yoloq::quantize::detail
