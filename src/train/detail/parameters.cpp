// SPDX-License-Identifier: Apache-2.0
#include "train/detail/parameters.h"

#include <ATen/ATen.h>

#include <set>

namespace yoloq::train::detail {

namespace {

/// Which group an input of an operator belongs to; nullptr: none.
std::vector<Parameter> Parameters::*group_of(const graph::Node& node, std::size_t input) {
  if (node.op == "Conv") {
    if (input == 1) return &Parameters::weights;
    if (input == 2) return &Parameters::biases;
  }
  if (node.op == "BatchNormalization") {
    if (input == 1) return &Parameters::norms;
    if (input == 2) return &Parameters::biases;
    if (input > 2) return &Parameters::statistics;
  }
  return nullptr;
}

}  // namespace

std::vector<at::Tensor> Parameters::trained() const {
  std::vector<at::Tensor> tensors;
  for (const auto* group : {&weights, &norms, &biases}) {
    for (const Parameter& parameter : *group) tensors.push_back(parameter.tensor);
  }
  return tensors;
}

const std::string& Parameters::scale_of(const std::string& name) const {
  const auto joint = joint_scales.find(name);
  return joint == joint_scales.end() ? name : joint->second;
}

Parameters take_parameters(runtime::torch::Network& network, bool learn_scales,
                           const std::vector<std::vector<std::string>>& joint) {
  Parameters result;
  for (const auto& group : joint) {
    for (std::size_t i = 1; i < group.size(); ++i) result.joint_scales[group[i]] = group[0];
  }
  std::set<std::string> taken;
  const graph::Graph& graph = network.graph();
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& node = graph[id];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto group = group_of(node, i);
      const auto constant = network.constants().find(node.inputs[i]);
      if (group == nullptr || constant == network.constants().end()) continue;
      if (!taken.insert(constant->first).second) continue;
      at::Tensor& tensor = constant->second;
      if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
      if (group != &Parameters::statistics) tensor.set_requires_grad(true);
      (result.*group).push_back({constant->first, tensor});
    }
  }
  for (auto& [name, quantizer] : network.quantizers()) {
    if (!learn_scales) break;
    if (result.joint_scales.contains(name)) continue;
    quantizer.scale.set_requires_grad(true);
    result.scales.push_back({name, quantizer.scale});
  }
  for (const auto& [name, other] : result.joint_scales) {
    network.quantizers().at(name).scale = network.quantizers().at(other).scale;
  }
  return result;
}

}  // namespace yoloq::train::detail
