// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "detect/head.h"
#include "graph/graph.h"
#include "train/detail/shared_mean.h"

/// @file
/// Feature matching: a student learns to have its teacher's maps in front of the head as well, not
/// only the same heads.
///
/// Source: Romero et al., "FitNets", arXiv:1412.6550, without its regressor, as teacher and student
/// have the same shapes here.

namespace yoloq::train::detail {

/// The model with what its head's convolutions read as further outputs, in the order of
/// `head.outputs`, behind its own.
///
/// @throws Error(bad_argument) if an output of the head does not come from a convolution.
graph::Graph with_features(const graph::Graph& model, const detect::Head& head);

/// Squared distance of a student's maps from its teacher's, relative to the teacher's squares;
/// mean over the levels. 0 where both are the same, 1 where the student has zeros.
///
///     1 / levels * sum over levels of  |student - teacher|^2 / |teacher|^2
///
/// @param student, teacher  per level [N, C, H, W]; the teacher gets no gradient.
/// @param sum               over all ranks; called once. With several, their results add up.
/// @returns [], float32.
/// @throws Error(bad_argument) if shapes differ.
at::Tensor feature_distance(std::span<const at::Tensor> student,
                            std::span<const at::Tensor> teacher, const SumOverRanks& sum = {});

}  // namespace yoloq::train::detail
