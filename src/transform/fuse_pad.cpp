// SPDX-License-Identifier: Apache-2.0
#include "transform/fuse_pad.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "transform/detail/constants.h"

namespace yoloq::transform {

using graph::Graph;
using graph::input_or_empty;
using graph::Node;
using graph::NodeId;

namespace {

bool fills_with_zeros(const Graph& graph, const Node& pad) {
  if (pad.text("mode", "constant") != "constant" || pad.real("value", 0.0f) != 0.0f) return false;
  const std::string& fill = input_or_empty(pad, 2);
  if (!input_or_empty(pad, 3).empty()) return false;
  if (fill.empty()) return true;
  const Tensor* value = detail::float_constant(graph, pad, 2);
  return value != nullptr && value->size() == 1 && value->values<float>()[0] == 0.0f;
}

/// The pads of the image axes, begins before ends; none if the Pad does more.
std::optional<std::vector<std::int64_t>> image_pads(const Graph& graph, const Node& pad) {
  std::vector<std::int64_t> pads = pad.integers("pads");
  if (pads.empty()) {
    const Tensor* given = graph.constant(input_or_empty(pad, 1));
    if (given == nullptr || given->dtype() != DType::i64) return std::nullopt;
    pads = given->to_integers();
  }
  const std::size_t rank = pads.size() / 2;
  const auto negative = [](std::int64_t size) { return size < 0; };
  if (rank < 3 || pads.size() != rank * 2 || std::ranges::any_of(pads, negative)) {
    return std::nullopt;
  }
  if (pads[0] != 0 || pads[1] != 0 || pads[rank] != 0 || pads[rank + 1] != 0) return std::nullopt;
  std::vector<std::int64_t> image(pads.begin() + 2,
                                  pads.begin() + static_cast<std::ptrdiff_t>(rank));
  image.insert(image.end(), pads.begin() + static_cast<std::ptrdiff_t>(rank) + 2, pads.end());
  return image;
}

}  // namespace

int fuse_pad(Graph& graph) {
  int fused = 0;
  for (const NodeId id : graph.nodes()) {
    Node& conv = graph[id];
    if (conv.op != "Conv" || !conv.domain.empty() || conv.inputs.empty()) continue;
    const std::string mode = conv.text("auto_pad", "NOTSET");
    const auto producer = graph.producer(conv.inputs[0]);
    if (!producer || graph[*producer].op != "Pad" || mode != "NOTSET") continue;
    const Node& pad = graph[*producer];
    auto pads = image_pads(graph, pad);
    if (!pads || !fills_with_zeros(graph, pad)) continue;
    const auto own = conv.integers("pads", std::vector<std::int64_t>(pads->size(), 0));
    if (own.size() != pads->size()) continue;
    std::ranges::transform(*pads, own, pads->begin(), std::plus());
    conv.attributes["pads"] = *pads;
    conv.inputs[0] = pad.inputs[0];
    ++fused;
  }
  return fused;
}

}  // namespace yoloq::transform
