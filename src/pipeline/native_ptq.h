// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/progress.h"
#include "pipeline/model.h"
#include "runtime/engine.h"

namespace yoloq::pipeline {

struct NativePtqOptions {
  std::string method;           ///< As runtime::NativePtq::method.
  Shape batch;                  ///< [N, 3, H, W], as the network is built.
  std::size_t images = 512;     ///< At most; whole batches of them are used.
  std::filesystem::path cache;  ///< Folder; empty: none.
  Progress progress;
};

/// Calibration by the runtime: yoloq's letterboxed batches, and a cache file whose name is a key of
/// model, images, preprocessing and method, so that no change meets a stale one.
///
/// @param images  to pick from, as pick_images() does.
/// @throws Error(not_found) if there is not one whole batch.
runtime::NativePtq native_ptq(const DetectionModel& model,
                              std::span<const std::filesystem::path> images,
                              const NativePtqOptions& options);

}  // namespace yoloq::pipeline
