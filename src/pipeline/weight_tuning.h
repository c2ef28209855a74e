// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "graph/graph.h"
#include "quantize/plan.h"
#include "quantize/tuning.h"
#include "vision/geometry.h"

/// @file
/// Goes through a model from the input to the head, node by node, with a few images in two
/// versions: as the float model computes them and as the quantized one does. At each int8
/// convolution it chooses weight codes and a bias that bring the second closest to the first, and
/// goes on with what the quantized layer then really gives, so that later layers make up for
/// earlier ones.

namespace yoloq::pipeline {

struct WeightTuningOptions {
  vision::Size size;               ///< Of the letterboxed images.
  std::size_t images = 32;         ///< From the list, evenly spread.
  std::size_t positions = 400;     ///< Sampled per image and layer for the moments.
  std::vector<std::string> heads;  ///< Values that the head's convolutions compute, raw logits.
  std::int64_t classes = 0;        ///< Of the head.
  int object_weight = 0;  ///< How many times more a position with an object counts; needs `heads`.
  bool weights = true;    ///< Tune weights with scales per channel; others stay as they are.
  bool biases = true;     ///< Shift each bias by the mean difference of the two versions.
  quantize::TuningOptions tuning;  ///< The largest code is the plan's.
  int threads = 0;
  Progress progress;
};

/// Changes scales, codes and bias shifts of the plan's weights.
///
/// Memory: two float copies of the widest part of the network per image (yolov5n at 640: about 40
/// MB per image).
///
/// Source of the bias shift: Nagel et al., "Data-Free Quantization", arXiv:1906.04721, section 4.2,
/// the empirical form.
///
/// @param model  float, with the input [1, 3, H, W].
void tune_weights(const graph::Graph& model, quantize::Plan& plan,
                  std::span<const std::filesystem::path> images,
                  const WeightTuningOptions& options);

}  // namespace yoloq::pipeline
