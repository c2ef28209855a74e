// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_batch_norm.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "transform/detail/constants.h"

namespace yoloq::transform {

using detail::float_constant;
using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr float kDefaultEpsilon = 1e-5f;  // ONNX BatchNormalization, every opset version.

bool is_training(const Node& norm) {
  return norm.integer("training_mode", 0) != 0 || norm.outputs.size() > 1;
}

/// The Conv that can absorb `norm`, if there is one.
std::optional<NodeId> foldable_conv(const Graph& graph, const Node& norm) {
  if (norm.op != "BatchNormalization" || !norm.domain.empty() || is_training(norm)) {
    return std::nullopt;
  }
  const auto producer = graph.producer(graph::input_or_empty(norm, 0));
  if (!producer || graph[*producer].op != "Conv" || !graph[*producer].domain.empty()) {
    return std::nullopt;
  }
  const Node& conv = graph[*producer];
  const bool has_bias = !graph::input_or_empty(conv, 2).empty();
  bool foldable = graph.readers(conv.output()) == 1 && float_constant(graph, conv, 1) != nullptr &&
                  (!has_bias || float_constant(graph, conv, 2) != nullptr);
  for (std::size_t i = 1; i <= 4; ++i) {
    foldable = foldable && float_constant(graph, norm, i) != nullptr;
  }
  return foldable ? producer : std::nullopt;
}

/// Input `index` of `node`, checked to hold one element per output channel.
std::span<const float> per_channel(const Graph& graph, const Node& node, std::size_t index,
                                   std::size_t channels) {
  const std::string& name = node.inputs[index];
  const auto values = graph.constant(name)->values<float>();
  if (values.size() == channels) return values;
  fail(ErrorCode::corrupt_file,
       "{} '{}': input '{}' has {} elements, expected one for each of the {} output channels of "
       "the Conv",
       node.op, node.name, name, values.size(), channels);
}

/// s and b - mean, as in the header.
struct Affine {
  std::vector<double> scale;
  std::vector<float> bias;
};

Affine affine_of(const Graph& graph, const Node& conv, const Node& norm, std::size_t channels) {
  const auto gamma = per_channel(graph, norm, 1, channels);
  const auto beta = per_channel(graph, norm, 2, channels);
  const auto mean = per_channel(graph, norm, 3, channels);
  const auto var = per_channel(graph, norm, 4, channels);
  const double epsilon = norm.real("epsilon", kDefaultEpsilon);
  std::vector<float> bias(channels, 0.0f);
  if (!graph::input_or_empty(conv, 2).empty()) {
    const auto given = per_channel(graph, conv, 2, channels);
    bias.assign(given.begin(), given.end());
  }
  Affine affine;
  for (std::size_t o = 0; o < channels; ++o) {
    const double scale = gamma[o] / std::sqrt(var[o] + epsilon);
    affine.scale.push_back(scale);
    affine.bias.push_back(
        static_cast<float>((static_cast<double>(bias[o]) - mean[o]) * scale + beta[o]));
  }
  return affine;
}

Tensor scaled(const Tensor& weight, std::span<const double> scale) {
  const std::size_t filter_size = scale.empty() ? 1 : weight.size() / scale.size();
  std::vector<float> values(weight.values<float>().begin(), weight.values<float>().end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(values[i] * scale[i / filter_size]);
  }
  return Tensor::of<float>(weight.shape(), values);
}

void fold(Graph& graph, NodeId conv_id, NodeId norm_id) {
  const Node norm = graph[norm_id];
  const Tensor weight = *graph.constant(graph[conv_id].inputs[1]);
  if (weight.rank() < 3) fail(ErrorCode::corrupt_file, "Conv '{}' has no filters", norm.name);
  const auto channels = static_cast<std::size_t>(weight.shape()[0]);
  const Affine affine = affine_of(graph, graph[conv_id], norm, channels);

  const std::string stem = graph[conv_id].name.empty() ? norm.output() : graph[conv_id].name;
  detail::set_constant_input(graph, conv_id, 1, stem + ".weight", scaled(weight, affine.scale));
  detail::set_constant_input(graph, conv_id, 2, stem + ".bias", Tensor::list(affine.bias));
  Node& conv = graph[conv_id];
  graph.value_types.erase(conv.output());
  conv.outputs[0] = norm.output();
  if (conv.name.empty()) conv.name = norm.name;
}

/// Removes the BatchNormalization and those of its parameters that nothing else reads.
void remove(Graph& graph, NodeId norm) {
  const std::vector<std::string> values = graph[norm].inputs;
  graph.erase(norm);
  for (const std::string& value : values) {
    if (graph.readers(value) == 0 && !graph.is_input(value)) graph.constants.erase(value);
  }
}

}  // namespace

int fold_batch_norm(Graph& graph) {
  int folded = 0;
  for (const NodeId norm : graph.nodes()) {
    const auto conv = foldable_conv(graph, graph[norm]);
    if (!conv) continue;
    fold(graph, *conv, norm);
    remove(graph, norm);
    ++folded;
  }
  return folded;
}

}  // namespace yoloq::transform
