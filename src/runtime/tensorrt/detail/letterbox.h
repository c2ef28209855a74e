// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/tensorrt/detail/cuda.h"
#include "runtime/tensorrt/detail/letterbox_kernel.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace yoloq::runtime::tensorrt {

/// Uploads images and letterboxes them on the device. One per request; keeps one image per place
/// of the batch, so that uploads overlap.
class Letterbox {
 public:
  /// @param canvas  device memory of one image of the batch.
  void operator()(std::size_t place, float* canvas, const vision::Image& image,
                  const vision::Placement& placement, cudaStream_t stream);

 private:
  std::vector<Buffer> images_;
};

}  // namespace yoloq::runtime::tensorrt
