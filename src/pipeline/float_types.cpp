// SPDX-License-Identifier: Apache-2.0
#include "pipeline/float_types.h"

#include <algorithm>

#include "quantize/apply.h"
#include "quantize/float_type.h"
#include "quantize/value_bounds.h"

namespace yoloq::pipeline {

using graph::Graph;

namespace {

quantize::Intervals seen_of(const calibrate::Ranges& ranges,
                            const std::vector<std::string>& tensors) {
  quantize::Intervals seen;
  for (const std::string& tensor : tensors) {
    const calibrate::TensorStatistics& statistics = ranges.at(tensor);
    seen[tensor] = {.low = std::min(statistics.min * kRangeSafety, 0.0),
                    .high = std::max(statistics.max * kRangeSafety, 0.0)};
  }
  return seen;
}

}  // namespace

std::vector<quantize::Fp32Node> nodes_beyond_half(const Graph& graph, const Observe& observe) {
  quantize::Intervals bounds = quantize::value_bounds(graph);
  const std::vector<std::string> wide = quantize::values_to_observe(graph, bounds);
  if (!wide.empty() && observe) {
    bounds = quantize::value_bounds(graph, seen_of(observe(wide), wide));
  }
  return quantize::find_fp32_nodes(graph, bounds);
}

void keep_wide_nodes_in_fp32(const Graph& model, quantize::Plan& plan, const Observe& observe) {
  quantize::Plan in_float = plan;
  in_float.float_type = quantize::Precision::fp32;
  in_float.fp32_nodes.clear();
  for (quantize::LayerPlan& layer : in_float.layers) {
    if (layer.precision == quantize::Precision::fp16) layer.precision = quantize::Precision::fp32;
  }
  plan.fp32_nodes = nodes_beyond_half(quantize::apply(model, in_float), observe);
  for (quantize::LayerPlan& layer : plan.layers) {
    const auto found = std::ranges::find(plan.fp32_nodes, layer.name, &quantize::Fp32Node::name);
    if (found == plan.fp32_nodes.end() || layer.precision != quantize::Precision::fp16) continue;
    layer.precision = quantize::Precision::fp32;
    layer.why += "; " + found->why;
  }
}

}  // namespace yoloq::pipeline
