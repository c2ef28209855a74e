// SPDX-License-Identifier: Apache-2.0
#include "train/loss_options.h"

#include "core/error.h"

namespace yoloq::train {

LossOptions scale_gains(LossOptions options, const LossScale& scale) {
  if (options.anchors.empty()) {
    fail(ErrorCode::bad_argument, "loss: no anchors; expected one list of them per level");
  }
  if (scale.class_count < 1 || scale.image_side_px < 1) {
    fail(ErrorCode::bad_argument,
         "loss: cannot scale gains to {} classes and {} pixels; both must "
         "be at least 1",
         scale.class_count, scale.image_side_px);
  }
  const double per_level = 3.0 / static_cast<double>(options.anchors.size());
  const double side = scale.image_side_px / 640.0;
  options.box *= per_level;
  options.cls *= scale.class_count / 80.0 * per_level;
  options.obj *= side * side * per_level;
  return options;
}

}  // namespace yoloq::train
