// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "dataset/hyperparameters.h"

namespace yoloq::dataset::detail {

/// A key of a hyp file, and the numbers that it may have.
struct HyperparameterKey {
  std::string_view name;
  double Hyperparameters::*member;
  double least;
  double most;
  bool above_least = false;  ///< `least` itself is out of range.

  bool allows(double value) const {
    return value <= most && (above_least ? value > least : value >= least);
  }
};

/// All of them, in the order of Ultralytics' files.
std::span<const HyperparameterKey> hyperparameter_keys();

}  // namespace yoloq::dataset::detail
