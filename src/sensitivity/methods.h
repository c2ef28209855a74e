// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "pipeline/ground_truth.h"
#include "pipeline/model.h"
#include "quantize/plan.h"
#include "sensitivity/profile.h"

namespace yoloq::sensitivity {

/// What is profiled, on what.
struct Subject {
  const pipeline::DetectionModel& model;  ///< Float.
  const quantize::Plan& plan;             ///< That quantizes all layers that count.
  std::span<const std::filesystem::path> images;
  std::string backend = "openvino";  ///< Runtime that computes; see runtime/engine.h.
};

/// How much work something was.
struct Effort {
  double seconds = 0;      ///< By the clock.
  double cpu_seconds = 0;  ///< Processor time of the whole process.
};

/// Measures efforts from when it was made.
class Stopwatch {
 public:
  Stopwatch();
  Effort elapsed() const;

 private:
  double start_seconds_;
  double start_cpu_seconds_;
};

struct MapOptions {
  std::size_t group = 15;       ///< Layers whose engines are in memory at once.
  std::size_t draws = 100;      ///< Resamplings of the images for the interval of each cost.
  std::filesystem::path state;  ///< Layers that are done; empty: a run that ends is lost.
  int threads = 0;
  Progress progress;  ///< In images times groups.
};

/// What map_profile() found, and at what expense.
struct MapResult {
  Profile profile;
  double float_ap = 0;          ///< 0 to 1.
  Effort full_evaluation;       ///< One evaluation of the float model, in the same run.
  Effort layers;                ///< All layers of this run, engines compiled and state written.
  std::size_t resumed = 0;      ///< Layers that an earlier run had finished.
  bool state_replaced = false;  ///< There was a state, of other inputs.
};

/// AP lost with only that layer quantized, in AP points (of 100), by COCO evaluation.
///
/// What layers share is computed once per image and group of layers. A run that was killed goes on
/// with the first group that it had not finished, to the same bytes.
MapResult map_profile(const Subject& subject, const pipeline::GroundTruth& truth,
                      const MapOptions& options);

/// Images on which fast_profile() ranks as it does on twice as many; see docs/decisions/0003.
inline constexpr std::size_t kFastImages = 16;

struct HeadOptions {
  std::size_t group = 15;
  int threads = 0;
  Progress progress;
};

/// Noise over signal at the heads with only that layer quantized, in dB, the mean over the heads:
/// the negative of their SQNR.
Profile sqnr_profile(const Subject& subject, const HeadOptions& options);

/// How far the predictions of the float model move with only that layer quantized: of each its box
/// (1 - IoU) and its confidence, weighted by that confidence, in percent; the mean over the images.
/// A few images say it, as each holds thousands of predictions and no luck of matching; no labels
/// are needed. Why this:
/// docs/decisions/0003-fast-sensitivity.md.
///
/// @throws Error(unsupported) for a head without anchors, Error(bad_argument) if the model sees
///     nothing in the images.
Profile fast_profile(const Subject& subject, const HeadOptions& options);

}  // namespace yoloq::sensitivity
