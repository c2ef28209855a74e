// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"
#include "quantize/plan.h"

namespace yoloq::test {

/// Three convolutions, two ends:
///
///     x ─▶ first ─▶ a ─┬─▶ second ─▶ b ─▶ Add(b, a) ─▶ sum
///                      └─▶ third ─▶ other
///
///     first: x + 1    second: 3 a    third: 10 a
graph::Graph two_layers();

/// int8 for `first` (x at 1, w at 1) and `second` (a at 0.5, w at 2), `third` float.
quantize::Plan two_layer_plan();

}  // namespace yoloq::test
