// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>

#include "train/detail/shared_mean.h"
#include "train/loss_options.h"

namespace yoloq::train::detail {

/// What a level's objectness counts for: finer levels have more cells and smaller objects. 4, 1 and
/// 0.4 of three levels; the fifth and what is coarser count alike.
double level_balance(std::size_t level, std::size_t levels);

/// What a step of training minimizes, and what it is made of. With several ranks, their results
/// add up to that of one rank with the images of all.
struct LossResult {
  at::Tensor total;  ///< []: the sum of the parts times the images of all ranks; has gradients.
  at::Tensor parts;  ///< [3]: box, objectness and classes, each with its gain; without gradients.
};

/// The loss of YOLOv5's training. nc: classes, na: anchors per cell.
///
///     box         mean of 1 - CIoU over what match_labels() gives
///     objectness  cross entropy of every cell and anchor against the CIoU of its box, 0 where it
///                 has none; levels of 8, 16 and 32 pixels count 4, 1 and 0.4
///     classes     cross entropy over the same as the boxes; 0 if nc is 1
///
/// Both tensors stay where the heads are: no value is fetched from a GPU, except `labels` where
/// they lie there. Half precision is computed with as float32.
///
/// @param heads   per level [N, na * (5 + nc), H, W], before the sigmoid: the output of the model's
///                last convolutions.
/// @param labels  [M, 6] of any real type: image of the batch, class, then centre x, y, width and
///                height, 0 to 1.
/// @param sum     over all ranks; called once.
///
/// Source: ComputeLoss of Ultralytics' utils/loss.py, v6.0 to v7.0, without autobalance. Where
/// several boxes claim a cell, the last one's IoU is its target on every device, as there on a CPU.
///
/// @throws Error(bad_argument) if shapes, options or labels contradict each other.
LossResult compute_loss(std::span<const at::Tensor> heads, const at::Tensor& labels,
                        const LossOptions& options, const SumOverRanks& sum = {});

}  // namespace yoloq::train::detail
