// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/detail/parameters.h"
#include "train/detail/state.h"

namespace yoloq::train::detail {

/// Moving averages of all parameters, statistics and scales: what is evaluated and deployed.
///
///     average = d * average + (1 - d) * value       d = decay * (1 - exp(-updates / steps))
///
/// Source: ModelEMA of Ultralytics' utils/torch_utils.py.
class Average {
 public:
  Average(const Parameters& parameters, double decay, double steps);

  /// Takes in the parameters as they are now.
  void update();

  /// By parameter name, on the device.
  const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }
  const std::map<std::string, at::Tensor>& scales() const { return scales_; }

  SavedState state() const;

  /// @throws Error(corrupt_file) naming what is missing.
  void restore(const SavedState& state);

 private:
  std::vector<Parameter> sources_;
  std::vector<Parameter> scale_sources_;
  std::map<std::string, at::Tensor> tensors_;
  std::map<std::string, at::Tensor> scales_;
  double decay_ = 0;
  double steps_ = 0;
  std::int64_t updates_ = 0;
};

}  // namespace yoloq::train::detail
