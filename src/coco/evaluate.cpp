// SPDX-License-Identifier: Apache-2.0
#include "coco/evaluate.h"

namespace yoloq::coco {

Metrics evaluate(const Annotations& annotations, std::span<const Detection> detections,
                 const Options& options) {
  return accumulate(match(annotations, detections, options));
}

}  // namespace yoloq::coco
