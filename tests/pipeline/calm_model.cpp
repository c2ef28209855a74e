// SPDX-License-Identifier: Apache-2.0
#include "pipeline/calm_model.h"

#include <variant>
#include <vector>

namespace yoloq::test {

model::Description calm_model(const TinyOptions& options) {
  constexpr float kCalm = 0.01f;
  model::Description description = tiny_model(options);
  for (model::Conv2d& conv : std::get<model::Detect>(description.layers.back().module.kind).m) {
    std::vector<float> weights = conv.weight.to_floats();
    for (float& weight : weights) weight *= kCalm;
    conv.weight = Tensor::of(conv.weight.shape(), weights);
  }
  return description;
}

}  // namespace yoloq::test
