// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "coco/match.h"

namespace yoloq::coco {

/// How well a detector does at the confidence at which it does best.
struct BestF1 {
  double confidence = 0;
  double precision = 0;  ///< Mean over the classes that have boxes to find.
                         ///< Above the highest score of a class it is 1, without any score 0.
  double recall = 0;     ///< The same.
};

/// The confidence, of 1000 from 0 to 1, with the largest mean F1 = 2 P R / (P + R) over the classes
/// at IoU .50; all 0 where there is nothing to find.
///
/// Source: ap_per_class() of Ultralytics' utils/metrics.py, which smooths the curve of F1 first.
BestF1 best_f1(const Matches& matches);

}  // namespace yoloq::coco
