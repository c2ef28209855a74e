// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "train/detail/loss.h"
#include "train/loss_options.h"

namespace yoloq::train::detail {

/// How far a student's heads are from its teacher's, in the terms of the detection loss:
///
///     objectness  cross entropy against the teacher's probability, mean over all cells and anchors
///     classes     cross entropy against the teacher's probabilities, weighted by its objectness
///     box         smooth L1 of the four raw numbers, weighted by its objectness
///
/// The entropy of the teacher is subtracted, so that 0 is reached where both agree. Gains and the
/// balance of levels are those of compute_loss().
///
/// Source: Hinton et al., arXiv:1503.02531, with probabilities at temperature 1; weighting by
/// objectness is that of Mehta and Ozturk, "Object detection at 200 frames per second", 2018.
///
/// @param student, teacher  per level [N, na * (5 + nc), H, W], before the sigmoid.
/// @param sum               over all ranks; called once.
LossResult compute_distillation(std::span<const at::Tensor> student,
                                std::span<const at::Tensor> teacher, const LossOptions& options,
                                const SumOverRanks& sum = {});

}  // namespace yoloq::train::detail
