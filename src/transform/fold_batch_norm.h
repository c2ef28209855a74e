// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Folds each BatchNormalization into the Conv that feeds it.
///
///     before   y = Conv(x, W, b)
///              z = BatchNormalization(y, gamma, beta, mean, var)
///     after    z = Conv(x, W', b')
///
///     s  = gamma / sqrt(var + epsilon)    [O]
///     W' = W * s, per output channel      [O, I / groups, kH, kW]
///     b' = (b - mean) * s + beta          [O], b = 0 where Conv has no bias
///
/// All in double, rounded once. A weight or bias that other nodes read too is left to them; the
/// Conv gets its own. A Conv without a name takes the BatchNormalization's. Parameters of the
/// BatchNormalization go, but for those that other nodes read.
///
/// Leaves a pair as it is when y has another reader, or when a parameter is not a float32 constant.
/// A second run finds nothing to do.
///
/// Source: Jacob et al., arXiv:1712.05877, section 3.2.
///
/// @returns how many BatchNormalization nodes were removed.
/// @throws Error(corrupt_file) if a parameter does not have O elements.
int fold_batch_norm(graph::Graph& graph);

}  // namespace yoloq::transform
