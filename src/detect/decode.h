// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "detect/detections.h"
#include "detect/head.h"
#include "vision/geometry.h"

namespace yoloq::detect {

/// One output of a model, as float32 in row-major order; somebody else's memory.
struct HeadOutput {
  Shape shape = {};
  std::span<const float> values = {};
};

struct DecodeOptions {
  float confidence = 0.001f;  ///< Candidates are above it.
  bool multi_label = true;    ///< Every class above it; else only the likeliest of each cell's box.
  std::vector<int> classes = {};  ///< Only these; all if empty.
};

/// The head's outputs for one batch of images.
struct HeadBatch {
  std::span<const HeadOutput> outputs = {};  ///< In the order of Head::outputs.
  std::size_t image = 0;                     ///< Which image of the batch to decode.
  vision::Size canvas = {};                  ///< Of the model's input.
};

/// The candidates of one image, in no order, boxes in pixels of the canvas:
///
///     x = (2 sigmoid(tx) - 0.5 + column) * stride      w = (2 sigmoid(tw))^2 * anchor width
///     confidence = sigmoid(objectness) * sigmoid(class)
///
/// and y, h alike, all in float32. A decoded output holds these already.
///
/// Source: Detect.forward() of Ultralytics' models/yolo.py, v5.0 to v7.0, and the first part of
/// non_max_suppression() of utils/general.py.
///
/// @throws Error(bad_argument) if shapes do not fit the head or the canvas, or a class is none of
/// the
///     head's.
std::vector<Candidate> decode(const Head& head, const HeadBatch& batch,
                              const DecodeOptions& options = {});

}  // namespace yoloq::detect
