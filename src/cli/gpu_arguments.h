// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/model.h"
#include "runtime/engine.h"

namespace CLI {
class App;
}

/// @file
/// Options of 'yoloq build' that only TensorRT has.

namespace yoloq::cli {

/// --min-shape, --opt-shape, --max-shape: a batch ("8") or a whole shape ("8x3x640x640").
struct ShapeArguments {
  std::string least;
  std::string best;
  std::string most;

  void declare(CLI::App& app);
  bool given() const { return !least.empty() || !best.empty() || !most.empty(); }

  /// None if nothing was given. What is left out is the next one that was given, least the best.
  ///
  /// @param size  of the model's input, for shapes that are batches only.
  /// @throws Error(bad_argument) for anything that is no shape.
  std::optional<runtime::ShapeProfile> profile(vision::Size size) const;
};

/// --workspace, --timing-cache, --tactic-sources.
struct BuilderArguments {
  std::size_t workspace_mib = 0;
  std::filesystem::path timing_cache;
  std::vector<std::string> tactic_sources;  ///< "-JIT_CONVOLUTIONS", "+CUDNN".

  void declare(CLI::App& app);

  /// @throws Error(bad_argument) for a tactic source without + or -; Error(io) if the timing cache
  ///     could not be written.
  void apply(runtime::GpuOptions& options) const;
};

/// --native-ptq, --num-calib-batch, --num-calib-images, --skip-layers, --layer-precision, --cache.
struct NativePtqArguments {
  std::string method;
  int batches = 16;
  std::optional<std::size_t> calibration_images;  ///< In all; none: batches of --batch-size.
  std::vector<std::string> skip_layers;
  std::vector<std::string> layer_precision;
  std::filesystem::path cache = ".cache/yoloq";

  void declare(CLI::App& app);
  bool given() const { return !method.empty(); }

  /// Fills in native_ptq and float_layers, and prints the layers with their ids.
  ///
  /// @param images  to pick calibration images from.
  /// @throws Error(bad_usage) if layers are named without --native-ptq; Error(not_found) if a
  ///     layer is none of the model's.
  void apply(runtime::GpuOptions& options, const pipeline::DetectionModel& model,
             std::span<const std::filesystem::path> images, int batch_size) const;
};

}  // namespace yoloq::cli
