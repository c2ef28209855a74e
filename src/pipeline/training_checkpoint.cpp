// SPDX-License-Identifier: Apache-2.0
#include "pipeline/training_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/half.h"
#include "onnx/model_file.h"
#include "quantize/apply.h"
#include "transform/passes.h"

namespace yoloq::pipeline {

using graph::Graph;
using graph::Node;

namespace {

constexpr std::string_view kPlanKey = "yoloq.plan";
constexpr std::string_view kTrainingKey = "yoloq.training";
constexpr std::string_view kStatePrefix = "yoloq.state/";

/// gamma / sqrt(var + eps) of the BatchNormalization that alone reads the output of `conv`; empty
/// if none does.
std::vector<float> norm_factors(const Graph& graph, const Node& conv) {
  const auto uses = graph.uses(conv.output());
  if (uses.size() != 1 || graph.is_output(conv.output())) return {};
  const Node& norm = graph[uses.front().node];
  if (norm.op != "BatchNormalization") return {};
  const Tensor* gamma = graph.constant(graph::input_or_empty(norm, 1));
  const Tensor* variance = graph.constant(graph::input_or_empty(norm, 4));
  if (gamma == nullptr || variance == nullptr) return {};
  std::vector<float> factors = gamma->to_floats();
  const std::vector<float> spread = variance->to_floats();
  const double epsilon = norm.real("epsilon", 1e-5f);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i] = static_cast<float>(factors[i] / std::sqrt(spread.at(i) + epsilon));
  }
  return factors;
}

/// Calls change(weight, factors) for each quantized weight whose outputs a BatchNormalization
/// multiplies by the factors.
template <typename Change>
void for_each_normalized(const Graph& graph, quantize::Plan& plan, const Change& change) {
  for (const graph::NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (node.op != "Conv") continue;
    const std::vector<float> factors = norm_factors(graph, node);
    const auto weight =
        std::ranges::find(plan.weights, node.inputs[1], &quantize::WeightPlan::tensor);
    if (factors.empty() || weight == plan.weights.end()) continue;
    if (weight->scales.size() != factors.size()) {
      fail(ErrorCode::unsupported,
           "layer '{}': one scale for the whole weight does not survive folding its "
           "BatchNormalization; train it folded",
           node.name);
    }
    change(*weight, factors);
  }
}

/// The plan for the weights as they are when BatchNormalization is folded.
quantize::Plan folded_plan(const Graph& graph, quantize::Plan plan) {
  for_each_normalized(graph, plan, [](quantize::WeightPlan& weight, const std::vector<float>& by) {
    // A channel that is multiplied by 0 is 0 under any scale.
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (by[i] != 0) weight.scales[i] *= std::abs(by[i]);
    }
  });
  return plan;
}

/// `codes` [O, ...] with the signs of those channels turned whose factor is negative.
Tensor with_signs(const Tensor& codes, const std::vector<float>& factors) {
  const auto old = codes.values<std::int8_t>();
  std::vector<std::int8_t> values(old.begin(), old.end());
  const std::size_t length = values.size() / factors.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (factors[i / length] < 0) values[i] = static_cast<std::int8_t>(-values[i]);
  }
  return Tensor::of(codes.shape(), values);
}

}  // namespace

quantize::Plan unfolded_plan(const Graph& model, quantize::Plan plan) {
  for_each_normalized(model, plan, [](quantize::WeightPlan& weight, const std::vector<float>& by) {
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (by[i] != 0) weight.scales[i] /= std::abs(by[i]);
    }
    if (weight.codes) weight.codes = with_signs(*weight.codes, by);
  });
  return plan;
}

std::string serialize(const TrainingCheckpoint& checkpoint) {
  Graph graph = checkpoint.model;
  if (checkpoint.plan) graph.metadata[std::string(kPlanKey)] = quantize::to_yaml(*checkpoint.plan);
  graph.metadata[std::string(kTrainingKey)] = checkpoint.training;
  for (const auto& [name, tensor] : checkpoint.state) {
    graph.constants[std::string(kStatePrefix) + name] = tensor;
  }
  return onnx::serialize(graph);
}

TrainingCheckpoint parse_training_checkpoint(std::string_view bytes) {
  TrainingCheckpoint checkpoint{.model = onnx::parse(bytes)};
  Graph& graph = checkpoint.model;
  const auto training = graph.metadata.find(kTrainingKey);
  if (training == graph.metadata.end()) {
    fail(ErrorCode::corrupt_file, "this is no checkpoint of yoloq's training: it lacks '{}'",
         kTrainingKey);
  }
  checkpoint.training = training->second;
  graph.metadata.erase(training);
  if (const auto plan = graph.metadata.find(kPlanKey); plan != graph.metadata.end()) {
    checkpoint.plan = quantize::parse_plan(plan->second);
    graph.metadata.erase(plan);
  }
  for (auto it = graph.constants.lower_bound(kStatePrefix);
       it != graph.constants.end() && it->first.starts_with(kStatePrefix);) {
    checkpoint.state.emplace(it->first.substr(kStatePrefix.size()), std::move(it->second));
    it = graph.constants.erase(it);
  }
  for (auto& [name, tensor] : graph.constants) {
    if (tensor.dtype() != DType::f16) continue;
    tensor = Tensor::of<float>(tensor.shape(), tensor.to_floats());
  }
  return checkpoint;
}

TrainingCheckpoint stripped(const TrainingCheckpoint& checkpoint) {
  TrainingCheckpoint result = checkpoint;
  result.state.clear();
  for (auto& [name, tensor] : result.model.constants) {
    if (tensor.dtype() != DType::f32 || tensor.rank() == 0) continue;
    std::vector<std::uint16_t> halves;
    for (const float value : tensor.values<float>()) halves.push_back(float_to_half(value));
    tensor = Tensor(DType::f16, tensor.shape(), std::as_bytes(std::span(halves)));
  }
  return result;
}

TrainingCheckpoint read_training_checkpoint(const std::filesystem::path& path) {
  try {
    return parse_training_checkpoint(read_file(path));
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

std::optional<quantize::Plan> deployed_plan(const TrainingCheckpoint& checkpoint) {
  if (!checkpoint.plan) return std::nullopt;
  return folded_plan(checkpoint.model, *checkpoint.plan);
}

Graph deployed(const TrainingCheckpoint& checkpoint) {
  Graph graph = checkpoint.model;
  transform::simplify(graph);
  const auto plan = deployed_plan(checkpoint);
  return plan ? quantize::apply_for_target(graph, *plan) : graph;
}

}  // namespace yoloq::pipeline
