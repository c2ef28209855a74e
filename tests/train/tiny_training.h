// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/error.h"
#include "graph/graph.h"
#include "support/data.h"
#include "train/training.h"

/// @file
/// Trainings that take a second: drawn images of 64 pixels, the smallest detector.

namespace yoloq::test {

/// A folder with a drawn data set of three classes, and jobs that train on it.
class TinyTraining {
 public:
  explicit TinyTraining(int train_images = 16, int val_images = 6);

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path data_yaml() const { return folder_.path() / "shapes/data.yaml"; }

  /// A training from random weights: 2 epochs of 2 batches, no augmentation but mirroring.
  ///
  /// @param name  of the folder for checkpoints.
  train::Job job(const std::string& name) const;

  /// The same of another model with three classes.
  train::Job job(const std::string& name, const graph::Graph& graph) const;

  /// Quantization-aware training of a checkpoint that a job left, BatchNormalization folded.
  train::Job quantized_job(const std::string& name, const std::filesystem::path& checkpoint,
                           const std::string& target = "tensorrt") const;

  /// The same with BatchNormalization, which keeps its statistics.
  train::Job quantized_norm_job(const std::string& name,
                                const std::filesystem::path& checkpoint) const;

 private:
  TemporaryFolder folder_;
};

/// The message of the Error that `act` throws, which must have the code.
std::string refusal(ErrorCode code, const std::function<void()>& act);

}  // namespace yoloq::test
