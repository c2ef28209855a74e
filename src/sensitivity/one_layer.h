// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "graph/graph.h"
#include "quantize/plan.h"

namespace yoloq::sensitivity {

/// What `plan` says of one layer, and nothing else: its weight, and the quantizer of its input for
/// this one reader. All other layers are float.
///
/// @throws Error(bad_argument) if the plan does not quantize the layer.
quantize::Plan only_layer(const quantize::Plan& plan, const std::string& layer);

/// `model` with this one layer as `plan` quantizes it, in float operators: exact on every CPU,
/// whatever integer instructions it has.
///
///     before   y = Conv(x, W, b)
///     after    y = Conv(fake_quantize(x), W', b)      W': what the codes of W stand for
///
/// Names of all values that `model` has stay, so that difference() finds what changed.
graph::Graph with_only_layer_quantized(const graph::Graph& model, const quantize::Plan& plan,
                                       const std::string& layer);

}  // namespace yoloq::sensitivity
