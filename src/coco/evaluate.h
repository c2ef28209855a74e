// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "coco/accumulate.h"
#include "coco/annotations.h"
#include "coco/detections.h"
#include "coco/match.h"
#include "coco/metrics.h"

namespace yoloq::coco {

/// COCO bounding box evaluation: equal to pycocotools in every bit of every figure.
///
/// As there, an image without detections counts, a detection of a category that the annotations do
/// not list is left out (Metrics::unknown_category says how many), a box's `ignore` field is
/// overruled by its crowd flag, and a box with id 0 can never be found.
///
/// @throws Error(bad_argument) as `match` does.
Metrics evaluate(const Annotations& annotations, std::span<const Detection> detections,
                 const Options& options = {});

}  // namespace yoloq::coco
