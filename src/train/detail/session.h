// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataset/loader.h"
#include "pipeline/training_checkpoint.h"
#include "train/detail/average.h"
#include "train/detail/loss.h"
#include "train/detail/moving_ranges.h"
#include "train/detail/optimizer.h"
#include "train/detail/ranks.h"
#include "train/loss_options.h"
#include "train/training.h"

namespace yoloq::train::detail {

/// Everything that changes while a model is trained, one step at a time.
class Session {
 public:
  /// @param job    must outlive the session, as `ranks`.
  /// @param ranks  that train together; this one's session sees its own part of each batch.
  Session(const Job& job, const Ranks& ranks);

  /// Forward, loss, backward; what Rates::accumulate batches add up to moves the parameters.
  ///
  /// @returns box, objectness, classes of all ranks' images, on the device, [3].
  /// @throws Error(bad_value) if the loss or its gradients are no finite numbers; no parameter was
  ///     changed by it then.
  at::Tensor step(const dataset::Batch& batch, const Rates& rates, double scale_rate);

  /// Batches whose gradients no update has taken yet.
  std::size_t waiting() const { return waiting_; }

  /// Whether the device has the memory for a step with the first `count` images of a batch. Moves
  /// no parameter and leaves no gradient; running statistics may have moved.
  bool fits(const dataset::Batch& batch, std::size_t count);

  /// The loss of a batch, of the moving averages, without gradients.
  at::Tensor validation_loss(const dataset::Batch& batch);

  /// Gives rank 0 the gradients that no update has taken, and leaves the others none: then what
  /// rank 0 has is all there is. All ranks call it before rank 0 takes a checkpoint.
  void gather_gradients();

  /// The moving averages as a model, and all that restore() needs.
  pipeline::TrainingCheckpoint checkpoint() const;

  /// Goes on from a checkpoint of the same job.
  ///
  /// @throws Error(corrupt_file) naming what is missing.
  void restore(const pipeline::TrainingCheckpoint& checkpoint);

 private:
  at::Tensor images_of(const dataset::Batch& batch) const;
  LossResult distillation(const std::vector<at::Tensor>& outputs,
                          const std::vector<at::Tensor>& taught, std::size_t images,
                          const SumOverRanks& sum) const;
  LossResult loss_of(runtime::torch::Network& network, const dataset::Batch& batch,
                     bool batch_statistics, bool in_step) const;
  std::vector<at::Tensor> gradients() const;
  void add_up_gradients();

  const Job& job_;
  const Ranks& ranks_;
  c10::Device device_;
  LossOptions loss_;
  runtime::torch::Network network_;
  std::unique_ptr<runtime::torch::Network> teacher_;
  std::unique_ptr<runtime::torch::Network> averaged_;  ///< Reads the moving averages.
  Parameters parameters_;
  Optimizer optimizer_;
  Average average_;
  std::unique_ptr<MovingRanges> ranges_of_activations_;  ///< Where the recipe asks for them.
  std::size_t waiting_ = 0;  ///< Batches whose gradients no update has taken.
};

}  // namespace yoloq::train::detail
