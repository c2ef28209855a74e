// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/subject.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "graph/shapes.h"
#include "quantize/layers.h"
#include "sensitivity/one_layer.h"

namespace yoloq::sensitivity {

namespace {

/// Scales and codes alone: what else a plan says does not change what layers compute.
std::string hash_of_plan(const quantize::Plan& plan) {
  quantize::Plan bare{
      .target = plan.target, .activations = plan.activations, .weights = plan.weights};
  Hasher hasher;
  hasher.add(quantize::to_yaml(bare));
  for (const auto& [layer, codes] : quantize::stored_codes(plan)) {
    hasher.add(layer).add(codes.bytes());
  }
  return hasher.hex();
}

/// Rows of cells of a head, [1, C, H, W]; 0 if not known.
std::int64_t rows_of(const graph::Port& head) {
  const auto shape = graph::fixed_shape(head.type.dims.value_or(graph::Dims{}));
  return shape && shape->size() == 4 ? shape->at(2) : 0;
}

}  // namespace

graph::Graph base_graph(const pipeline::DetectionModel& model) {
  return pipeline::with_input(model.graph, 1, model.size);
}

graph::Graph base_graph_to_heads(const pipeline::DetectionModel& model) {
  graph::Graph base = base_graph(model);
  std::vector<graph::Port> heads;
  for (const quantize::Layer& layer : quantize::quantizable_layers(base)) {
    if (!layer.feeds_head) continue;
    const std::string& value = base[layer.node].output();
    heads.push_back({value, base.type_of(value)});
  }
  std::ranges::stable_sort(heads, std::ranges::greater{}, rows_of);
  base.outputs = std::move(heads);
  if (!base.outputs.empty()) return base;
  fail(ErrorCode::unsupported, "'{}' has no convolution that ends in its head", model.name);
}

std::vector<LayerCost> quantized_layers(const Subject& subject) {
  std::vector<LayerCost> layers;
  for (const quantize::LayerPlan& layer : subject.plan.layers) {
    if (layer.precision == quantize::Precision::int8) {
      layers.push_back({.id = layer.id, .name = layer.name});
    }
  }
  if (!layers.empty()) return layers;
  fail(ErrorCode::bad_argument, "the plan quantizes no layer of '{}'", subject.model.name);
}

Profile empty_profile(const Subject& subject, std::string method, std::string unit) {
  if (subject.images.empty()) fail(ErrorCode::bad_argument, "there are no images to measure on");
  return {.method = std::move(method),
          .unit = std::move(unit),
          .backend = subject.backend,
          .model = subject.model.name,
          .model_hash = hash_of_layers(subject.model.graph),
          .plan_hash = hash_of_plan(subject.plan),
          .images_hash = hash_of_images(subject.images),
          .images = subject.images.size()};
}

std::vector<graph::Graph> variants_of(const graph::Graph& base, const quantize::Plan& plan,
                                      std::span<const LayerCost> layers) {
  std::vector<graph::Graph> variants;
  for (const LayerCost& layer : layers) {
    variants.push_back(with_only_layer_quantized(base, plan, layer.name));
  }
  return variants;
}

}  // namespace yoloq::sensitivity
