// SPDX-License-Identifier: Apache-2.0
#include "quantize/keep_float.h"

#include <algorithm>

#include "core/error.h"

namespace yoloq::quantize {

void keep_float(Plan& plan, const std::string& layer, const std::string& why) {
  const auto row = std::ranges::find(plan.layers, layer, &LayerPlan::name);
  if (row == plan.layers.end()) {
    fail(ErrorCode::not_found, "the plan has no layer '{}' to keep in float", layer);
  }
  row->precision = plan.float_type;
  row->why = why;
  drop_quantizers_of(plan, layer);
}

void drop_quantizers_of(Plan& plan, const std::string& layer) {
  std::erase_if(plan.weights, [&](const WeightPlan& weight) { return weight.layer == layer; });
  for (ActivationPlan& activation : plan.activations) std::erase(activation.readers, layer + ":0");
  std::erase_if(plan.activations,
                [](const ActivationPlan& activation) { return activation.readers.empty(); });
}

}  // namespace yoloq::quantize
