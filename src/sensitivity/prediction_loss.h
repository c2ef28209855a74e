// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "graph/graph.h"
#include "pipeline/model.h"

namespace yoloq::sensitivity {

struct PredictionLossOptions {
  std::string backend = "openvino";  ///< Runtime that computes; see runtime/engine.h.
  int threads = 0;
  Progress progress;
};

/// How far other versions of a model move its predictions: of each its box (1 - IoU) and its
/// confidence, weighted by that confidence, in percent; the mean over the images. No labels are
/// needed. See detection_error.h and docs/decisions/0003-fast-sensitivity.md.
///
/// @param model     float.
/// @param versions  with the values that the head's convolutions of `model` compute; same input.
/// @returns one figure for each version.
/// @throws Error(unsupported) for a head without anchors, Error(bad_argument) if the model sees
///     nothing in the images.
std::vector<double> prediction_losses(const pipeline::DetectionModel& model,
                                      std::span<const graph::Graph> versions,
                                      std::span<const std::filesystem::path> images,
                                      const PredictionLossOptions& options = {});

}  // namespace yoloq::sensitivity
