// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pipeline/quantization.h"

namespace yoloq::pipeline {

/// What one more improvement gave.
struct Improvement {
  std::string name;
  double sqnr_db = 0;  ///< Of the worst head, literal execution against the float model.
};

/// Quantizes with one improvement after the other switched on: weight scales by max, by mse, bias
/// correction, tuning, both. Uses the caches of `options`, so that the last row costs nothing
/// twice.
std::vector<Improvement> explain(const DetectionModel& model,
                                 std::span<const std::filesystem::path> images,
                                 const QuantizationOptions& options);

}  // namespace yoloq::pipeline
