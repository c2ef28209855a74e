// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"
#include "quantize/plan.h"

namespace yoloq::quantize {

/// Inserts the QuantizeLinear and DequantizeLinear nodes that `plan` says into `model`.
///
///     before   y = Conv(x, W, b)
///     after    x_q = QuantizeLinear(x, scale, zero_point)
///              x_d = DequantizeLinear(x_q, scale, zero_point)
///              W_d = DequantizeLinear(W_codes, scales, zero_points) axis=0
///              y = Conv(x_d, W_d, b + bias_shift)
///
/// A layer in another float type than the plan's gets Casts around it, and with a float_type of
/// fp16 the whole float part becomes float16: see set_float_type(). The opset is raised to 13,
/// where DequantizeLinear learned axes, if it is lower; to 19 with fp16, where it learned float16.
///
/// @throws Error(bad_argument) naming what the plan speaks of and the model lacks: the plan was
/// made
///     for another model.
graph::Graph apply(const graph::Graph& model, const Plan& plan);

/// What a file for the plan's target holds: apply(), and raise_quantizers() for targets whose row
/// in target.cpp asks for it. Computes what apply() computes.
///
/// @throws as apply(), and Error(bad_argument) if the plan's target is unknown.
graph::Graph apply_for_target(const graph::Graph& model, const Plan& plan);

/// The codes that `plan` gives `weight` [O, ...]: its own, or the nearest.
///
/// @throws Error(bad_argument) if its codes or scales do not fit the weight.
Tensor codes_of(const Tensor& weight, const WeightPlan& plan);

}  // namespace yoloq::quantize
