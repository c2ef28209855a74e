// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/activation_observer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/calibration.h"
#include "pipeline/detail/object_map.h"
#include "quantize/quantize.h"
#include "runtime/expose.h"

namespace yoloq::pipeline::detail {

namespace {

/// The rows [a * step + 4] of [O, ...].
Tensor objectness_rows(const Tensor& all, std::size_t step) {
  const auto values = all.values<float>();
  const std::size_t outputs = static_cast<std::size_t>(all.shape()[0]);
  const std::size_t length = values.size() / outputs;
  std::vector<float> rows;
  for (auto row = std::size_t{kObjectness}; row < outputs; row += step) {
    const auto chosen = values.subspan(row * length, length);
    rows.insert(rows.end(), chosen.begin(), chosen.end());
  }
  Shape shape = all.shape();
  shape[0] = static_cast<std::int64_t>(outputs / step);
  return Tensor::of(shape, rows);
}

/// True if `value` comes from a convolution in one group with constant float weights, `step` rows
/// for each anchor.
bool can_be_narrowed(const graph::Graph& graph, const std::string& value, std::int64_t step) {
  const auto producer = graph.producer(value);
  if (!producer || graph[*producer].op != "Conv") return false;
  const graph::Node& conv = graph[*producer];
  const auto is_float = [&](std::size_t input) {
    const Tensor* constant = graph.constant(conv.inputs[input]);
    return constant != nullptr && constant->dtype() == DType::f32;
  };
  for (std::size_t input = 1; input < conv.inputs.size(); ++input) {
    if (!is_float(input)) return false;
  }
  const Shape& weight = graph.constant(conv.inputs[1])->shape();
  const auto dims = graph.type_of(conv.inputs[0]).dims;
  return weight[0] % step == 0 && dims && dims->size() == 4 && (*dims)[1].known() &&
         (*dims)[1].size == weight[1];
}

/// The convolution behind `head` once more, for the objectness alone.
std::string add_objectness(graph::Graph& graph, const std::string& head, std::int64_t classes) {
  graph::Node conv = graph[*graph.producer(head)];
  for (std::size_t input = 1; input < conv.inputs.size(); ++input) {
    Tensor rows =
        objectness_rows(*graph.constant(conv.inputs[input]), static_cast<std::size_t>(5 + classes));
    conv.inputs[input] = graph.fresh_value_name(conv.inputs[input] + "/objectness");
    graph.constants[conv.inputs[input]] = std::move(rows);
  }
  conv.outputs = {graph.fresh_value_name(head + "/objectness")};
  conv.name = conv.output();
  graph.append(conv);
  return conv.output();
}

std::vector<std::string> object_names(const std::vector<std::string>& tensors) {
  std::vector<std::string> names;
  for (const std::string& tensor : tensors) names.push_back(quantize::objects_of(tensor));
  return names;
}

}  // namespace

ObservedModel observed_model(const graph::Graph& model, const std::vector<std::string>& tensors,
                             const ObjectHeads& heads) {
  graph::Graph bare = model;
  bare.outputs.clear();
  std::vector<std::string> inner;
  for (const std::string& tensor : tensors) {
    if (tensor != model.inputs.front().name) inner.push_back(tensor);
  }
  ObservedModel observed{.graph = runtime::with_outputs(bare, inner),
                         .tensors = tensors,
                         .heads = heads.values.size(),
                         .classes = heads.classes};
  graph::Graph& graph = observed.graph;
  std::size_t output = 0;
  for (const std::string& tensor : tensors) {
    if (tensor == model.inputs.front().name) {
      observed.sources.push_back(Source::input);
      continue;
    }
    const bool turned = graph.outputs[output++].name != tensor;
    observed.sources.push_back(turned ? Source::channels_last : Source::plain);
  }
  observed.only_objectness = std::ranges::all_of(heads.values, [&](const std::string& head) {
    return can_be_narrowed(model, head, 5 + heads.classes);
  });
  for (const std::string& head : heads.values) {
    const std::string& value =
        observed.only_objectness ? add_objectness(graph, head, heads.classes) : head;
    graph.outputs.push_back({value, {DType::f32, std::nullopt}});
  }
  return observed;
}

/// One tensor of one image.
struct ActivationObserver::Activation {
  std::span<const float> values;
  bool channels_last = false;
  std::int64_t channels = 0;
  std::int64_t height = 0;  ///< 0: not a feature map.
  std::int64_t width = 0;
};

ActivationObserver::ActivationObserver(const ObservedModel& model)
    : model_(model), all_(model.tensors), objects_(object_names(model.tensors)) {
  outputs_ = model.graph.outputs.size() - model.heads;
}

std::vector<ActivationObserver::Activation> ActivationObserver::activations(
    runtime::Request& request) const {
  std::vector<Activation> found;
  std::size_t output = 0;
  for (const Source source : model_.sources) {
    const auto view = source == Source::input ? request.input(0) : request.output(output++);
    const Shape& shape = view.shape;
    Activation activation{.values = view.values<float>(),
                          .channels_last = source == Source::channels_last};
    activation.channels = shape.at(activation.channels_last ? 3 : 1);
    if (shape.size() == 4) {
      activation.height = shape[activation.channels_last ? 1 : 2];
      activation.width = shape[activation.channels_last ? 2 : 3];
    }
    found.push_back(activation);
  }
  return found;
}

void ActivationObserver::observe(runtime::Request& request, const std::string& image) {
  const auto map = object_map(request);
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::uint32_t>> places;
  const auto found = activations(request);
  for (std::size_t tensor = 0; tensor < found.size(); ++tensor) {
    const Activation& activation = found[tensor];
    activation.channels_last
        ? all_.observe_channels_last(tensor, activation.values, activation.channels, image)
        : all_.observe(tensor, activation.values, activation.channels, image);
    if (!map || activation.height == 0) continue;
    const auto [at, is_new] = places.try_emplace({activation.height, activation.width});
    if (is_new) at->second = map->places(activation.height, activation.width, kObjectThreshold);
    observe_objects(tensor, activation, at->second, image);
  }
}

calibrate::Ranges ActivationObserver::finish() && {
  calibrate::Ranges ranges = std::move(all_).finish();
  if (!seen_objects_) return ranges;  // Nothing to emphasize: quantize() then uses all values.
  ranges.tensors.merge(std::move(objects_).finish().tensors);
  return ranges;
}

std::optional<ObjectMap> ActivationObserver::object_map(runtime::Request& request) const {
  std::vector<HeadLogits> heads;
  const std::int64_t channels_each = model_.only_objectness ? 1 : 5 + model_.classes;
  for (std::size_t i = 0; i < model_.heads; ++i) {
    const runtime::TensorView output = request.output(outputs_ + i);
    heads.push_back({.anchors = output.shape.at(1) / channels_each,
                     .classes = model_.classes,
                     .height = output.shape.at(2),
                     .width = output.shape.at(3),
                     .values = output.values<float>(),
                     .only_objectness = model_.only_objectness});
  }
  if (heads.empty()) return std::nullopt;
  return ObjectMap(heads);
}

void ActivationObserver::observe_objects(std::size_t tensor, const Activation& activation,
                                         std::span<const std::uint32_t> places,
                                         const std::string& image) {
  if (places.empty()) return;
  const auto channels = static_cast<std::size_t>(activation.channels);
  const auto area = static_cast<std::size_t>(activation.height * activation.width);
  std::vector<float> chosen;
  chosen.reserve(places.size() * channels);
  for (const std::uint32_t place : places) {
    if (activation.channels_last) {
      const auto at_place = activation.values.subspan(place * channels, channels);
      chosen.insert(chosen.end(), at_place.begin(), at_place.end());
      continue;
    }
    for (std::size_t c = 0; c < channels; ++c)
      chosen.push_back(activation.values[c * area + place]);
  }
  objects_.observe_channels_last(tensor, chosen, activation.channels, image);
  seen_objects_ = true;
}

}  // namespace yoloq::pipeline::detail
