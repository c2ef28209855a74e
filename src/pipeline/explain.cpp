// SPDX-License-Identifier: Apache-2.0
#include "pipeline/explain.h"

#include <algorithm>
#include <limits>

namespace yoloq::pipeline {

namespace {

struct Step {
  const char* name;
  quantize::WeightScale scale;
  bool tuning;
  bool bias;
};

constexpr Step kSteps[] = {
    {"weight scales by max, rounded", quantize::WeightScale::max, false, false},
    {"weight scales by mse, rounded", quantize::WeightScale::mse, false, false},
    {"the same, biases corrected", quantize::WeightScale::mse, false, true},
    {"weights tuned", quantize::WeightScale::mse, true, false},
    {"weights tuned, biases corrected", quantize::WeightScale::mse, true, true},
};

}  // namespace

std::vector<Improvement> explain(const DetectionModel& model,
                                 std::span<const std::filesystem::path> images,
                                 const QuantizationOptions& options) {
  std::vector<Improvement> improvements;
  for (const Step& step : kSteps) {
    QuantizationOptions trial = options;
    trial.quantize.weight_scale = step.scale;
    trial.tune_weights = step.tuning;
    trial.bias_correction = step.bias;
    const QuantizedModel quantized = quantize_model(model, images, trial);
    double worst = std::numeric_limits<double>::infinity();
    for (const auto& check : verify_quantized(model, quantized.graph, quantized.images).checks) {
      worst = std::min(worst, check.expected_db);
    }
    improvements.push_back({step.name, worst});
  }
  return improvements;
}

}  // namespace yoloq::pipeline
