// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "train/event_file.h"
#include "train/training.h"

namespace yoloq::train::detail {

/// results.csv and TensorBoard's event file of a training's folder.
class Logs {
 public:
  /// Forgets what an earlier run has written of `first_epoch` and later ones.
  ///
  /// @throws Error(io) if the folder cannot be written.
  Logs(const std::filesystem::path& folder, int first_epoch);

  /// Adds one epoch. What was not measured is nan in results.csv and absent in TensorBoard.
  void add(const EpochReport& report);

 private:
  std::filesystem::path table_;
  EventFile events_;
};

}  // namespace yoloq::train::detail
