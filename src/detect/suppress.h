// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "detect/detections.h"

namespace yoloq::detect {

struct SuppressOptions {
  double iou = 0.6;                     ///< A box that overlaps a surer one by more than this goes.
  std::size_t most_boxes = 300;         ///< Kept at most.
  std::size_t most_candidates = 30000;  ///< The surest that are looked at.
  bool across_classes = false;          ///< Boxes of different classes suppress each other, too.
  float class_offset = 7680;  ///< Pixels by which each class is moved away from the one before.
};

/// Non-maximum suppression: the surest box stays, those that overlap it go, and so on.
///
/// Arithmetic is float32 on boxes moved by class_index * class_offset, as in the reference, so that
/// the same boxes stay. Candidates of the same confidence come in the order of their row, then
/// class.
///
/// Source: non_max_suppression() of Ultralytics' utils/general.py, v7.0, with torchvision's nms.
///
/// @returns boxes in pixels of the canvas, the surest first.
Boxes suppress(std::span<const Candidate> candidates, const SuppressOptions& options = {});

}  // namespace yoloq::detect
