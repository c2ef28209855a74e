// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coco/detections.h"
#include "coco/evaluate.h"
#include "core/progress.h"
#include "detect/detections.h"
#include "detect/head.h"
#include "pipeline/ground_truth.h"
#include "runtime/engine.h"
#include "vision/geometry.h"

namespace yoloq::pipeline {

/// A compiled detector: what is needed to find objects in images.
struct Detector {
  std::shared_ptr<runtime::Engine> engine;
  detect::Head head;
  vision::Size size;  ///< Of the input, pixels.
  int batch = 1;
  bool fixed_batch = true;
};

/// Defaults are those with which Ultralytics' val.py measures AP.
struct DetectOptions {
  float confidence = 0.001f;
  double iou = 0.6;
  std::size_t most_boxes = 300;
  bool multi_label = true;
  std::vector<int> classes;  ///< Only these; all if empty.
  bool skip_bad = false;
  int workers = 0;  ///< See StreamOptions.
  Progress progress;
};

/// What a detector found in a list of images.
struct Found {
  std::vector<detect::Boxes> boxes;          ///< One per image; pixels of the original image.
  std::vector<std::string> skipped;          ///< One message per image that did not decode.
  std::vector<std::size_t> skipped_indices;  ///< The same as places in the list.
  double seconds = 0;
  std::size_t images = 0;  ///< Computed.

  double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images) / seconds : 0;
  }
};

/// Runs a detector over images: decode, letterbox, infer, decode heads, suppress, map back.
Found find_objects(const Detector& detector, std::span<const std::filesystem::path> images,
                   const DetectOptions& options = {});

/// As COCO detections; scores rounded to 5 and coordinates to 3 decimals, as Ultralytics writes
/// them.
std::vector<coco::Detection> to_coco(std::span<const detect::Boxes> boxes,
                                     const GroundTruth& truth);

/// The twelve figures over exactly the images of `truth`.
coco::Metrics evaluate(std::span<const coco::Detection> detections, const GroundTruth& truth);

}  // namespace yoloq::pipeline
