// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "calibrate/ranges.h"
#include "core/progress.h"
#include "pipeline/model.h"
#include "quantize/quantize.h"

namespace yoloq::search {

struct TensorCalibratorOptions {
  std::size_t group = 24;  ///< Versions of the model whose engines are in memory at once.
  int threads = 0;
  Progress progress;
};

/// For each activation the calibrator whose range moves the model's predictions least, with that
/// activation alone in 8 bits: sensitivity::prediction_losses().
///
/// @param how  its calibrator is kept where no other is better by a tenth.
/// @returns the tensors that get another one.
std::map<std::string, quantize::CalibratorChoice> choose_tensor_calibrators(
    const pipeline::DetectionModel& model, const quantize::Options& how,
    const calibrate::Ranges& ranges, std::span<const std::filesystem::path> images,
    const TensorCalibratorOptions& options = {});

}  // namespace yoloq::search
