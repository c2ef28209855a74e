// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.h"

namespace yoloq::detect {

Boxes detect(const Head& head, const HeadBatch& batch, const vision::Placement& placement,
             const DetectOptions& options) {
  Boxes boxes = suppress(decode(head, batch, options.decode), options.suppress);
  for (Box& box : boxes) {
    const vision::Rect back = to_original({box.x1, box.y1, box.x2, box.y2}, placement);
    box = {back.x1, back.y1, back.x2, back.y2, box.confidence, box.class_index};
  }
  return boxes;
}

}  // namespace yoloq::detect
