// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/ranges.h"
#include "core/progress.h"
#include "graph/graph.h"
#include "vision/geometry.h"

/// @file
/// The calibration pass: a float model, images, and the statistics of inner activations.
///
///     images ─▶ letterbox ─▶ float engine with the observed tensors as outputs ─▶ Collector ─▶
///     Ranges

namespace yoloq::pipeline {

/// Several processes that do the same work, as one of them sees them.
struct Processes {
  std::size_t rank = 0;  ///< From 0.
  std::size_t count = 1;
  /// What each process has, in their order; all call it in the same order. Not called if there is
  /// one.
  std::function<std::vector<std::string>(const std::string&)> gather = {};
};

struct CalibrationOptions {
  vision::Size size;                 ///< Of the letterboxed image.
  std::filesystem::path cache;       ///< Folder of .ranges files; empty: no cache.
  int threads = 0;                   ///< 0: all that the process may use.
  std::string backend = "openvino";  ///< Runtime that computes the model; see runtime/engine.h.
  std::vector<std::string> heads;    ///< Values that the head's convolutions compute, raw logits.
  std::int64_t classes = 0;          ///< Of the head.
  bool skip_bad = false;
  Progress progress;
  Processes processes = {};  ///< That share the images.
};

struct CalibrationResult {
  calibrate::Ranges ranges;
  bool cached = false;               ///< Read from the cache: no image was decoded.
  double seconds = 0;                ///< Of the whole step.
  std::vector<std::string> skipped;  ///< One message per image left out.
};

/// Objectness above which a place counts as an object's.
inline constexpr float kObjectThreshold = 0.1f;

/// Picks `count` of `images`: those whose file names have the smallest hashes, so that the choice
/// depends on the names alone, spreads over a folder in which neighbours look alike, and a larger
/// count holds every smaller one. Sorted by path.
std::vector<std::filesystem::path> pick_images(std::span<const std::filesystem::path> images,
                                               std::size_t count);

/// Those of `images` that are not in `others`; sorted by path.
std::vector<std::filesystem::path> without(std::span<const std::filesystem::path> images,
                                           const std::vector<std::filesystem::path>& others);

/// The statistics of `tensors` over `images`, from the cache where the same question was answered.
///
/// With `heads`, values at places where the model sees objects (objectness above
/// kObjectThreshold) are counted once more under quantize::objects_of(tensor).
///
/// Each image is computed alone on one thread, so that the result has the same bytes for every
/// number of threads, and of processes where their CPUs compute alike.
///
/// @param model    float, with its input of a known shape [1, 3, H, W].
/// @throws Error(bad_value) naming layer and image where an activation is NaN or infinite;
///     Error(corrupt_file) naming an image, unless skip_bad; Error(not_found) if no image is left;
///     Error(bad_argument) if another process calibrates something else.
CalibrationResult calibrate_model(const graph::Graph& model,
                                  const std::vector<std::string>& tensors,
                                  std::span<const std::filesystem::path> images,
                                  const CalibrationOptions& options);

/// calibrate_model() of the sets that pick_images() makes of `images` for each of `counts`, from
/// one pass over the largest: no image is computed twice. The results have the same bytes as if
/// each set had been calibrated alone, and are cached under its key.
///
/// @param counts  rising.
/// @throws as calibrate_model(); Error(bad_argument) if the counts do not rise.
std::vector<CalibrationResult> calibrate_growing_sets(const graph::Graph& model,
                                                      const std::vector<std::string>& tensors,
                                                      std::span<const std::filesystem::path> images,
                                                      std::span<const std::size_t> counts,
                                                      const CalibrationOptions& options);

}  // namespace yoloq::pipeline
