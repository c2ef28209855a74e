// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "pipeline/calibration.h"
#include "pipeline/float_types.h"
#include "pipeline/model.h"
#include "quantize/plan.h"
#include "quantize/quantize.h"
#include "quantize/tuning.h"
#include "runtime/verify.h"

namespace yoloq::pipeline {

/// See weight_tuning.h for what tuning and bias correction do.
struct QuantizationOptions {
  quantize::Options quantize;
  std::size_t images = 128;     ///< Calibration images; all that there are if fewer.
  std::filesystem::path cache;  ///< Folder of .ranges files; empty: none.
  int threads = 0;
  std::string backend = "openvino";  ///< Runtime that computes what is calibrated on.
  bool skip_bad = false;
  bool tune_weights = true;
  bool bias_correction = true;
  std::size_t tuning_images = 32;
  quantize::TuningOptions tuning = {};
  /// Choose the ranges anew from the activations of the quantized model, and tune again.
  bool second_pass = false;
  Processes processes = {};  ///< That share the calibration pass.
  Progress progress;         ///< Of the calibration pass.
  Progress tuning_progress;  ///< Of weight tuning and bias correction.
  Progress range_progress;   ///< Of a pass for values that might not fit in float16.
};

/// A quantized model and how it came to be.
struct QuantizedModel {
  graph::Graph graph;  ///< Q/DQ; batch and size open where the float model leaves them open.
  quantize::Plan plan;
  CalibrationResult calibration;
  double tuning_seconds = 0;
  bool tuning_cached = false;
  std::vector<std::filesystem::path> images;  ///< That were looked at.
};

/// Calibrates, plans and applies.
///
/// @param model   float.
/// @param images  to pick calibration images from.
/// @throws Error(bad_argument) if the model is quantized already; what the steps throw.
QuantizedModel quantize_model(const DetectionModel& model,
                              std::span<const std::filesystem::path> images,
                              const QuantizationOptions& options);

/// Tunes weights and corrects biases of a plan that was made without, as quantize_model() does, and
/// makes its graph; uses the same cache. For plans that were edited since.
///
/// @param rounded  by quantize_model() with neither; `options` has both as they are wanted.
void tune_plan(const DetectionModel& model, QuantizedModel& rounded,
               const QuantizationOptions& options);

/// Calibrates for quantize_model() with each number of images, in one pass: it then finds all of
/// them in the cache.
///
/// @param counts  rising.
/// @throws Error(bad_argument) without a cache; as calibrate_growing_sets().
void calibrate_ahead(const DetectionModel& model, std::span<const std::filesystem::path> images,
                     std::span<const std::size_t> counts, const QuantizationOptions& options);

/// A pass over `images` for nodes_beyond_half(); of `options` it takes cache, threads, skip_bad and
/// range_progress. All three must outlive it.
Observe observer(const DetectionModel& model, std::span<const std::filesystem::path> images,
                 const QuantizationOptions& options);

/// A successful comparison of an engine with what its model says.
struct Verification {
  std::vector<runtime::OutputCheck> checks;
  std::vector<std::string> notices;  ///< runtime::Engine::notices().
  bool cached = false;               ///< Done before, see verify_once().
};

/// Images that an engine is verified on, the first of a list: enough to see a wrong kernel, few
/// enough to be quick.
inline constexpr std::size_t kVerifyImages = 4;

/// Compares an engine of a quantized graph with the literal execution of that graph, both against
/// the float model, on the first kVerifyImages of a list.
///
/// @param model   float; its size is the engine's.
/// @throws Error(diverged) naming each output that is worse; see runtime/verify.h.
Verification verify_quantized(const DetectionModel& model, const graph::Graph& quantized,
                              std::span<const std::filesystem::path> images);

/// The same for an engine compiled from a Q/DQ file whose float model is not at hand. Without
/// images on random input.
std::vector<runtime::OutputCheck> verify_engine(runtime::Engine& engine,
                                                const DetectionModel& quantized,
                                                std::span<const std::filesystem::path> images);

}  // namespace yoloq::pipeline
