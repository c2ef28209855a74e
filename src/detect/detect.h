// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "detect/decode.h"
#include "detect/detections.h"
#include "detect/head.h"
#include "detect/suppress.h"
#include "vision/letterbox.h"

namespace yoloq::detect {

/// The settings of Ultralytics' val.py are the defaults; its detect.py has confidence 0.25, IoU
/// 0.45 and one label per box.
struct DetectOptions {
  DecodeOptions decode = {};
  SuppressOptions suppress = {};
};

/// decode(), suppress() and the way back from the canvas: the boxes of one image, the surest first,
/// in pixels of the original image.
///
/// @throws as decode().
Boxes detect(const Head& head, const HeadBatch& batch, const vision::Placement& placement,
             const DetectOptions& options = {});

}  // namespace yoloq::detect
