// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "train/training.h"

namespace yoloq::train::detail {

/// What a checkpoint remembers besides tensors.
struct Progress {
  int epochs_done = 0;
  double best_ap = -1;  ///< -1: none was measured.
  int best_epoch = -1;
  int threads = 0;  ///< Of rank 0, in the last epoch.
};

/// A job and how far it is, as JSON: `yoloq.training` of a checkpoint.
///
/// @param data  fingerprint of the images and labels that are trained on.
std::string training_json(const Job& job, const std::string& data, const Progress& progress);

/// @throws Error(bad_argument) naming the difference if the checkpoint is of a job with another
///     recipe, model, plan or data, Error(corrupt_file) if it does not tell.
Progress read_progress(const Job& job, const std::string& data, const std::string& text);

/// Tells apart jobs that would not train the same model; what lies in the folder does not count.
std::string fingerprint(const Job& job, const std::string& data);

}  // namespace yoloq::train::detail
