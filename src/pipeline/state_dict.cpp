// SPDX-License-Identifier: Apache-2.0
#include "pipeline/state_dict.h"

#include <set>
#include <string>
#include <string_view>

#include "core/error.h"
#include "model/metadata.h"

namespace yoloq::pipeline {

using checkpoint::NamedTensor;

namespace {

constexpr std::string_view kFirstHead = ".m.0.weight";

/// Detect's buffer of that name; nothing where the file does not say anchors and strides.
void add_anchors(const graph::Graph& graph, const std::string& detect,
                 std::vector<NamedTensor>& result) {
  const model::ModelInfo info = model::read_metadata(graph);
  if (info.anchors.empty() || info.strides.size() != info.anchors.size()) return;
  std::vector<float> cells;
  for (std::size_t i = 0; i < info.anchors.size(); ++i) {
    for (const model::Anchor& anchor : info.anchors[i]) {
      for (const float side : anchor) cells.push_back(side / static_cast<float>(info.strides[i]));
    }
  }
  const auto heads = static_cast<std::int64_t>(info.anchors.size());
  const auto anchors = static_cast<std::int64_t>(info.anchors.front().size());
  result.push_back({detect + ".anchors", Tensor::of({heads, anchors, 2}, cells)});
}

}  // namespace

std::vector<NamedTensor> state_dict_of(const graph::Graph& graph) {
  std::vector<NamedTensor> result;
  std::set<std::string> taken;
  std::string detect;
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& node = graph[id];
    if (node.op != "Conv" && node.op != "BatchNormalization") continue;
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const std::string& name = node.inputs[i];
      const Tensor* tensor = graph.constant(name);
      if (tensor == nullptr || !taken.insert(name).second) continue;
      if (!name.starts_with("model.")) {
        fail(ErrorCode::unsupported,
             "'{}' of node '{}' is no name of a PyTorch module's: its weights do not make a "
             "state_dict",
             name, node.name);
      }
      result.push_back({name, *tensor});
      if (name.ends_with(kFirstHead)) detect = name.substr(0, name.size() - kFirstHead.size());
    }
  }
  if (!detect.empty()) add_anchors(graph, detect, result);
  return result;
}

}  // namespace yoloq::pipeline
