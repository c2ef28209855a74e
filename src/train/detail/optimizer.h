// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dataset/hyperparameters.h"
#include "train/detail/parameters.h"
#include "train/detail/state.h"
#include "train/schedule.h"
#include "train/training.h"

namespace yoloq::train::detail {

struct OptimizerOptions {
  double momentum = 0.937;
  double weight_decay = 5e-4;  ///< Of Parameters::weights.
  double clip_norm = 10;       ///< Of the gradients of all parameters but the scales; 0: no limit.
  Method method = Method::sgd;
};

/// SGD with Nesterov momentum or AdamW for weights, Adam on the logarithm for scales: a scale stays
/// positive and moves by the same part of itself whatever its size.
///
/// Source: LibTorch's SGD and AdamW; Kingma and Ba, arXiv:1412.6980, on log thresholds as Jain et
/// al., "Trained Quantization Thresholds", arXiv:1903.08066.
class Optimizer {
 public:
  Optimizer(Parameters parameters, const OptimizerOptions& options);
  ~Optimizer();
  Optimizer(Optimizer&&) noexcept;

  /// Moves the parameters along their gradients and forgets those.
  ///
  /// @param scale_rate  relative step of a scale.
  /// @throws Error(bad_value) if gradients are to be clipped and are no finite numbers; the
  ///     parameters are then as they were.
  void step(const Rates& rates, double scale_rate);

  /// Momentum and moments by parameter name, to go on with later.
  SavedState state() const;

  /// @throws Error(corrupt_file) naming what is missing or has another shape.
  void restore(const SavedState& state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yoloq::train::detail
