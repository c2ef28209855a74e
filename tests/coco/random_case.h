// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coco/annotations.h"
#include "coco/detections.h"

namespace yoloq::coco {

/// One evaluation, as both evaluators get it.
struct RandomCase {
  Annotations annotations;
  std::vector<Detection> detections;
  std::vector<std::int64_t> image_ids;  ///< Empty: all.
};

/// A small evaluation full of what goes wrong in evaluators: equal scores, overlaps that lie
/// exactly on a threshold, crowds, degenerate and huge boxes, areas on the bounds of the ranges,
/// box id 0, over a hundred detections, empty images, classes without boxes or detections, boxes
/// and detections of classes that are not listed, no boxes at all.
///
/// The same seed gives the same case everywhere.
RandomCase random_case(std::uint32_t seed);

/// As a COCO file; every number reads back the same.
std::string to_json(const Annotations& annotations);

}  // namespace yoloq::coco
