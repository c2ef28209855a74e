// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Folds a Mul by constants, or an Add of constants, into the Conv that feeds it.
///
///     before   y = Conv(x, W, b)         after    z = Conv(x, W * s, b * s)
///              z = Mul(y, s)
///
///     before   y = Conv(x, W, b)         after    z = Conv(x, W, b + t)
///              z = Add(y, t)
///
/// s and t hold one element, or one for each output channel: [1, O, 1, 1] or [O, 1, 1]. Where the
/// Conv has no bias, b = 0. Computed in double and rounded once.
///
/// Leaves a pair as it is when y has another reader, when a parameter is not a float32 constant, or
/// when the constant differs within a channel. A second run finds nothing to do.
///
/// @returns how many nodes were removed.
int fold_affine(graph::Graph& graph);

}  // namespace yoloq::transform
