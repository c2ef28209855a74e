// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/one_layer.h"

#include <algorithm>

#include "core/error.h"
#include "quantize/apply.h"
#include "runtime/literal_float.h"

namespace yoloq::sensitivity {

quantize::Plan only_layer(const quantize::Plan& plan, const std::string& layer) {
  const std::string reader = layer + ":0";
  quantize::Plan result{.target = plan.target, .layers = plan.layers};
  for (quantize::LayerPlan& row : result.layers) {
    if (row.name != layer) row.precision = quantize::Precision::fp32;
  }
  for (const quantize::ActivationPlan& activation : plan.activations) {
    if (!activation.on || std::ranges::find(activation.readers, reader) == activation.readers.end())
      continue;
    result.activations.push_back(activation);
    result.activations.back().readers = {reader};
  }
  for (const quantize::WeightPlan& weight : plan.weights) {
    if (weight.on && weight.layer == layer) result.weights.push_back(weight);
  }
  if (!result.activations.empty() && !result.weights.empty()) return result;
  fail(ErrorCode::bad_argument, "the plan does not quantize layer '{}'", layer);
}

graph::Graph with_only_layer_quantized(const graph::Graph& model, const quantize::Plan& plan,
                                       const std::string& layer) {
  return runtime::literal_float(quantize::apply(model, only_layer(plan, layer)));
}

}  // namespace yoloq::sensitivity
