// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/quantization.h"
#include "quantize/quantize.h"

namespace CLI {
class App;
}

/// @file
/// Options that decide how a plan is made, for the commands that make one.

namespace yoloq::cli {

struct PlanArguments {
  std::string split = "train";
  bool skip_bad = false;
  std::string target = "tensorrt";
  std::string calibrator = "mse";
  std::string residual;  ///< Empty: the target's.
  std::string weight_scale = "mse";
  std::string float_type;  ///< Empty: the plan's, else fp32.
  double percentile = 99.99;
  int object_weight = quantize::Options{}.object_weight;
  int batch_size = 8;
  int batches = 16;
  std::optional<std::size_t> images;  ///< In all; none: batches of batch_size.
  std::vector<std::string> skip_layers;
  std::vector<std::string> layer_precision;
  bool per_tensor = false;
  bool reduce_range = false;
  bool tuning = true;
  bool bias_correction = true;
  std::size_t tuning_images = 32;
  int threads = 0;
  std::string backend = "openvino";
  std::filesystem::path cache = ".cache/yoloq";

  /// --target, --calibrator, ..., --cache.
  void declare_calibrator(CLI::App& app);
  /// The same, --batch-size, --num-calib-batch, --num-calib-images, --split, --skip-bad, --backend,
  /// --threads.
  void declare_calibration(CLI::App& app);
  /// --residual, --per-tensor, --reduce-range, --weight-scale.
  void declare_placement(CLI::App& app);
  /// --skip-layers, --layer-precision, --float-type. `automatic` says what --skip-layers auto
  /// takes.
  void declare_layers(CLI::App& app, const std::string& automatic);
  /// --no-tuning, --tuning-images, --no-bias-correction.
  void declare_tuning(CLI::App& app);

  quantize::Precision float_precision() const;

  /// @throws Error(bad_argument) for an unknown name, before anything is read.
  quantize::Options quantize_options() const;

  /// With progress bars.
  pipeline::QuantizationOptions pipeline_options() const;

  /// For a command that applies a plan file instead of making a plan; options that it does not have
  /// are not given.
  ///
  /// @throws Error(bad_usage) naming an option that was given and would make the plan.
  static void refuse_beside_plan(const CLI::App& app);

  /// Calibration images that are asked for.
  std::size_t image_count() const {
    return images.value_or(static_cast<std::size_t>(batch_size) *
                           static_cast<std::size_t>(batches));
  }
};

/// What speaks against a plan being of this model: another file's hash. Not more than a notice, as
/// a checkpoint and the ONNX file that was exported from it are different files of one model.
std::optional<std::string> foreign_plan_notice(const quantize::Plan& plan,
                                               const pipeline::DetectionModel& model);

}  // namespace yoloq::cli
