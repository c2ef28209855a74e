// SPDX-License-Identifier: Apache-2.0
#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "calibrate/calibrator.h"
#include "core/error.h"
#include "quantize/half_scales.h"
#include "quantize/joint_scales.h"

namespace yoloq::quantize {

using graph::Graph;

namespace {

std::vector<LayerPlan> precisions_of(const std::vector<Layer>& layers,
                                     const std::vector<PrecisionRule>& rules) {
  std::vector<LayerPlan> plans;
  for (const Layer& layer : layers)
    plans.push_back({.id = layer.id, .name = layer.name, .why = "default"});
  for (const PrecisionRule& rule : rules) {
    for (const int id : matching_layers(layers, rule.pattern)) {
      plans[static_cast<std::size_t>(id)].precision = rule.precision;
      plans[static_cast<std::size_t>(id)].why = rule.why;
    }
  }
  return plans;
}

/// The bound that the operators promise, moved to the smallest value seen where a runtime's
/// approximation of the operator went below it.
std::optional<float> low_of(const Graph& model, const calibrate::TensorStatistics& statistics,
                            const std::string& tensor) {
  const auto known = known_low(model, tensor);
  return known ? std::optional(std::min(*known, statistics.min)) : std::nullopt;
}

Quantizer quantizer_of(const CalibratorChoice& calibrator, const Graph& model,
                       const Settings& settings, const calibrate::TensorStatistics& statistics,
                       const std::string& tensor) {
  const bool symmetric = settings.target.activation == DType::i8;
  const calibrate::RangeOptions how{
      .scheme = symmetric ? calibrate::Scheme::symmetric : calibrate::Scheme::asymmetric,
      .percentile = calibrator.percentile,
      .known_low = symmetric ? std::nullopt : low_of(model, statistics, tensor)};
  const calibrate::Range range = calibrate::compute_range(statistics, calibrator.name, how);
  return symmetric ? symmetric_quantizer(range) : asymmetric_quantizer(range);
}

/// What was seen of `tensor`, with the values at objects counted `weight` times more. Channel sums
/// are left as they are: no range depends on them.
calibrate::TensorStatistics emphasized(const calibrate::Ranges& ranges, const std::string& tensor,
                                       int weight) {
  calibrate::TensorStatistics statistics = ranges.at(tensor);
  const auto objects = ranges.tensors.find(objects_of(tensor));
  if (weight <= 0 || objects == ranges.tensors.end()) return statistics;
  calibrate::Histogram extra = objects->second.histogram;
  extra.repeat(static_cast<std::uint64_t>(weight));
  statistics.histogram.merge(extra);
  statistics.count += extra.total();
  return statistics;
}

std::vector<std::string> names_of(const Graph& model, const std::vector<graph::Use>& readers) {
  std::vector<std::string> names;
  for (const graph::Use& use : readers) {
    names.push_back(fmt::format("{}:{}", model[use.node].name, use.input));
  }
  return names;
}

bool has_half_weights(const Graph& model) {
  return std::ranges::any_of(model.nodes(), [&](const graph::NodeId id) {
    const Tensor* weight = model.constant(graph::input_or_empty(model[id], 1));
    return model[id].op == "Conv" && weight != nullptr && weight->dtype() == DType::f16;
  });
}

WeightPlan weight_plan(const Graph& model, const Layer& layer, const Options& options) {
  const int axis = options.per_tensor_weights ? -1 : 0;
  const int top_code = options.reduce_range ? kReducedTopCode : kTopCode;
  return {
      .tensor = layer.weight,
      .layer = layer.name,
      .axis = axis,
      .top_code = top_code,
      .scales = weight_scales(*model.constant(layer.weight),
                              {.axis = axis, .method = options.weight_scale, .top_code = top_code}),
      .why = fmt::format("{} scale", name_of(options.weight_scale))};
}

}  // namespace

std::string objects_of(std::string_view tensor) { return std::string(tensor) + "@objects"; }

Residual residual_of(const Options& options) {
  return options.residual.value_or(target_named(options.target).residual);
}

Settings settle(const Graph& model, const Options& options) {
  Settings settings{.target = target_named(options.target), .layers = quantizable_layers(model)};
  if (settings.layers.empty()) {
    if (has_half_weights(model)) {
      fail(
          ErrorCode::unsupported,
          "the model's convolutions have float16 weights; quantization starts from float32: export "
          "the file without --half");
    }
    fail(ErrorCode::unsupported, "the model has no convolution with a constant float32 weight");
  }
  for (const Layer& layer : settings.layers) require_finite(model, layer);
  settings.precisions = precisions_of(settings.layers, options.rules);
  std::vector<Layer> int8_layers;
  for (const Layer& layer : settings.layers) {
    const LayerPlan& plan = settings.precisions[static_cast<std::size_t>(layer.id)];
    if (plan.precision == Precision::int8) int8_layers.push_back(layer);
  }
  settings.sites =
      place(model, int8_layers,
            {.placement = settings.target.placement, .residual = residual_of(options)});
  return settings;
}

std::vector<std::string> observed_tensors(const Settings& settings) {
  std::vector<std::string> tensors;
  for (const Site& site : settings.sites) {
    if (site.shares.empty()) tensors.push_back(site.tensor);
  }
  return tensors;
}

std::string name_of(const CalibratorChoice& calibrator) {
  return calibrator.name == "percentile" ? fmt::format("percentile {}", calibrator.percentile)
                                         : calibrator.name;
}

Quantizer quantizer_by(const CalibratorChoice& calibrator, const Graph& model,
                       const Settings& settings, const Options& options,
                       const calibrate::Ranges& ranges, const std::string& tensor) {
  return quantizer_of(calibrator, model, settings,
                      emphasized(ranges, tensor, options.object_weight), tensor);
}

Plan make_plan(const Graph& model, const Settings& settings, const Options& options,
               const calibrate::Ranges& ranges) {
  Plan plan{.target = std::string(settings.target.name),
            .float_type = options.float_type,
            .layers = settings.precisions};
  std::map<std::string, Quantizer> chosen;
  for (const Site& site : settings.sites) {
    std::string why = site.why;
    if (site.shares.empty()) {
      const auto special = options.tensor_calibrators.find(site.tensor);
      const bool is_special = special != options.tensor_calibrators.end();
      const CalibratorChoice calibrator =
          is_special ? special->second : CalibratorChoice{options.calibrator, options.percentile};
      chosen[site.tensor] = quantizer_by(calibrator, model, settings, options, ranges, site.tensor);
      if (is_special) why += ", by " + name_of(calibrator);
    } else {
      chosen[site.tensor] = chosen.at(site.shares);
    }
    plan.activations.push_back({.tensor = site.tensor,
                                .quantizer = chosen[site.tensor],
                                .why = why,
                                .readers = names_of(model, site.readers)});
  }
  if (settings.target.placement == Placement::raised) {
    share_joint_scales(model, settings.sites, plan);
  }
  for (const Layer& layer : settings.layers) {
    const LayerPlan& precision = settings.precisions[static_cast<std::size_t>(layer.id)];
    if (precision.precision != Precision::int8) continue;
    plan.weights.push_back(weight_plan(model, layer, options));
  }
  if (plan.float_type == Precision::fp16) round_scales_to_half(plan);
  return plan;
}

}  // namespace yoloq::quantize
