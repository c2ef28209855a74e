// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <span>

#include "runtime/torch/network.h"

namespace yoloq::train::detail {

/// Replaces tensors by their sums over all ranks.
using SumTensors = std::function<void(std::span<at::Tensor>)>;

/// What a rank knows of all of them together. They share the images evenly: none is left without
/// where there are as many images as ranks.
struct WholeBatch {
  std::size_t images = 0;  ///< Known beforehand, so that a GPU is never waited for.
  std::size_t rank = 0;
  std::size_t ranks = 1;
  SumTensors sum;  ///< Called once forward and once backward, at the same point on every rank.
};

/// BatchNormalization by mean and variance over the batches of all ranks together, with the
/// gradient that passes through them; moves the running statistics alike on every rank. Each rank
/// has its part of gamma's and beta's gradients. A rank's batch may have no images.
///
/// Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015, with m the values of all ranks. On
/// GPUs by the kernels of PyTorch's SyncBatchNorm (torch/nn/modules/_functions.py), whose gathering
/// of statistics is a sum of tables that have one rank's row each. They divide by the values that
/// the first rank has, so they are for batches of which every rank has images.
at::Tensor synchronised_norm(const runtime::torch::BatchNorm& norm, const WholeBatch& whole);

}  // namespace yoloq::train::detail
