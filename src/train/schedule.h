// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "dataset/hyperparameters.h"

namespace yoloq::train {

/// Learning rates and momentum of one step.
struct Rates {
  double biases = 0;
  double weights = 0;  ///< Of convolutions, with weight decay, and of normalization, without.
  double momentum = 0;
  std::size_t accumulate = 1;  ///< Batches whose gradients make one update.
};

struct ScheduleOptions {
  int epochs = 100;
  std::size_t batches = 1;  ///< Per epoch.
  int batch_size = 16;
  int nominal_batch = 64;
  bool cosine = true;
};

/// Rates over a whole training:
///
///     factor(epoch)  = lrf + (1 - lrf) * (1 + cos(pi epoch / epochs)) / 2    or on a line
///     warm-up        linear over max(warmup_epochs * batches, 100) batches, at most half of the
///                    training: weights from 0, biases from warmup_bias_lr, momentum from
///                    warmup_momentum, accumulation from 1
///     accumulate     nominal_batch / batch_size, rounded, at least 1
///
/// Source: train() of Ultralytics' train.py, v5.0 to v7.0. Three things differ: a warm-up is at
/// most half of the training, without warmup_epochs there is none (the original takes 100 batches
/// either way), and AdamW's beta1 warms up as the momentum does (there it stays).
class Schedule {
 public:
  Schedule(const dataset::Hyperparameters& hyp, const ScheduleOptions& options);

  Rates at(int epoch, std::size_t batch) const;

  /// lr(epoch) / lr0, without warm-up.
  double factor(int epoch) const;

 private:
  dataset::Hyperparameters hyp_;
  ScheduleOptions options_;
  double warmup_batches_ = 0;
};

}  // namespace yoloq::train
