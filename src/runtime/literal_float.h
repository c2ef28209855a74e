// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "graph/graph.h"

namespace yoloq::runtime {

/// The graph with each quantizer written out in float operators, so that a runtime has no choice
/// but to compute what the file says: the reference for engines with integer kernels.
///
///     before   q = QuantizeLinear(x, s, z)      y = DequantizeLinear(q, s, z)
///     after    q = Clip(Round(x / s) + z, low, high)      y = (q - z) * s
///
/// q then holds codes as real numbers; operators between the two that only move codes do not mind.
/// Round is to nearest even. Quantized constants (weights, biases) become float constants.
///
/// Source: ONNX operator specification, QuantizeLinear and DequantizeLinear.
///
/// @throws Error(unsupported) for what has no such form: opset below 11, blocked quantization, a
///     scale or zero point that is computed, codes that are an output of the graph or that integer
///     operators (QLinearConv, MatMulInteger, ...) read, or a code type beyond 16 bits.
graph::Graph literal_float(const graph::Graph& graph);

/// The graph without rounding: each activation's quantizer is left out and quantized weights become
/// float constants. It stands for the float model where that is not at hand; the weights keep the
/// error that was written into the file.
///
/// @throws Error(unsupported) as literal_float().
graph::Graph without_activation_rounding(const graph::Graph& graph);

/// The graph with some quantized constants as the float constants that they stand for; all else
/// stays quantized.
///
///     before   w = DequantizeLinear(codes, s, z)     after    w = (codes - z) * s, a constant
///
/// @param dequantizers  DequantizeLinear nodes of constants, or of constants behind QuantizeLinear.
/// @throws Error(unsupported) as literal_float(), for those nodes.
graph::Graph with_float_constants(graph::Graph graph, std::span<const graph::NodeId> dequantizers);

}  // namespace yoloq::runtime
