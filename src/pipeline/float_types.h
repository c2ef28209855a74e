// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "calibrate/ranges.h"
#include "graph/graph.h"
#include "quantize/plan.h"

/// @file
/// Which nodes of a model must not compute in float16, because what they read or write could go
/// beyond it:
///
///     graph ─▶ bounds by interval arithmetic ─▶ wide values ─▶ [what images make of them] ─▶ nodes

namespace yoloq::pipeline {

/// Runs the float model over images and says what it saw of these tensors.
using Observe = std::function<calibrate::Ranges(const std::vector<std::string>& tensors)>;

/// How many times the largest magnitude that was seen float16 has to hold: other images go further.
inline constexpr double kRangeSafety = 4;

/// The nodes that would overflow in float16, or might. `observe` is asked only for values whose
/// bounds do not fit; without it these count as too large.
///
/// @param graph  float or Q/DQ, of known types.
std::vector<quantize::Fp32Node> nodes_beyond_half(const graph::Graph& graph,
                                                  const Observe& observe = {});

/// Finds what nodes_beyond_half() finds in `model` as `plan`, with a float_type of fp16, would make
/// it, and enters it into `plan`: a layer that was to be fp16 is fp32 then.
void keep_wide_nodes_in_fp32(const graph::Graph& model, quantize::Plan& plan,
                             const Observe& observe = {});

}  // namespace yoloq::pipeline
