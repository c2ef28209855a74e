// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include "coco/best_f1.h"
#include "coco/metrics.h"
#include "pipeline/training_checkpoint.h"
#include "train/training.h"

namespace yoloq::train::detail {

struct Accuracy {
  double ap = 0;  ///< .5:.95.
  double ap50 = 0;
  coco::BestF1 best;
};

/// Measures the model of a checkpoint as it would be deployed, on the job's val images: through
/// OpenVINO where it is trained on the CPU, else through LibTorch on the same device.
Accuracy measure(const Job& job, const pipeline::TrainingCheckpoint& checkpoint,
                 c10::Device device);

}  // namespace yoloq::train::detail
