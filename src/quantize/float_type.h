// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/plan.h"
#include "quantize/value_bounds.h"

/// @file
/// The type in which the float part of a model computes, written into the file: runtimes with
/// strongly typed networks (TensorRT 11 has no others) take it from there.

namespace yoloq::quantize {

struct FloatTypeOptions {
  Precision type = Precision::fp16;  ///< fp32 or fp16: of every node that no row below names.
  std::map<std::string, Precision, std::less<>> nodes;  ///< Exceptions, by label_of(node).
};

/// How a node is called in plans: its name, its output's if it has none.
const std::string& label_of(const graph::Node& node);

/// Sets the type of the float part of `graph`. Inputs and outputs of the graph stay float32.
///
///     before   y = Conv(x, w, b)                     after   x/float16 = Cast(x) to=float16
///              s = Sigmoid(y)                                y = Conv(x/float16, w/float16,
///              b/float16) return s                                      s/float16 = Sigmoid(y)
///                                                            s = Cast(s/float16) to=float32
///
/// - What comes behind the last convolutions stays float32, but for operators that only move
///   values: float16 counts in steps of half a pixel from 512 on, too coarse for coordinates.
/// - A DequantizeLinear has the type of its readers, by the type of its scale; readers of both
/// types
///   get one each. A QuantizeLinear has the type of what it reads. Where float16 does not hold the
///   scale exactly, they stay float32 with a Cast between: see half_scales.h.
/// - An operator that is not in the table of float_type.cpp stays float32, also one with a constant
///   beyond 65504.
/// - A Cast to float32 that only a Cast back would read is not written. The other way round it
///   rounds, and stays.
///
/// Values are of type float16 under their old names. With type fp16 a graph that has quantizers is
/// raised to opset 19, the first in which they take float16.
///
/// @throws Error(bad_value) if a node that is to be fp16 by name has a parameter beyond 65504;
///     what upgrade_opset() throws.
void set_float_type(graph::Graph& graph, const FloatTypeOptions& options);

/// Magnitude up to which a value may go in float16: 65504, less what rounding of weights and inputs
/// can add.
inline constexpr double kHalfLimit = 60000;

/// The nodes that set_float_type() would make float16 and that must not be: they read or write a
/// value that may reach beyond kHalfLimit, hold such a constant, or are of an operator that is not
/// in the table. In execution order; what is float32 in any case is not listed.
std::vector<Fp32Node> find_fp32_nodes(const graph::Graph& graph, const Intervals& bounds);

/// The values whose bounds are beyond kHalfLimit though float16 is wanted, and that are worth
/// looking at: what is computed, not moved. What was seen of them, value_bounds() can use.
std::vector<std::string> values_to_observe(const graph::Graph& graph, const Intervals& bounds);

}  // namespace yoloq::quantize
