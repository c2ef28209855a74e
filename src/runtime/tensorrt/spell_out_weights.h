// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::runtime::tensorrt {

/// Writes stored weight codes as the float weights that have them, with a quantizer behind.
///
///     before   W = DequantizeLinear(codes, scales, z)                  codes int8, a constant
///     after    W = DequantizeLinear(QuantizeLinear(w, scales, z), scales, z)
///              w = (codes - z) * scales                                a float constant
///
/// Quantizing w gives the same codes: |codes| <= 128 and float32 division and multiplication each
/// err by less than 2^-23. TensorRT up to version 9 reads quantized weights in this form only.
///
/// Leaves alone: biases (int32 codes), float16 scales, anything that is computed. A second run
/// finds nothing to do.
///
/// @returns how many weights were written out.
int spell_out_weights(graph::Graph& graph);

/// Writes `kernel_shape` at each Conv that does not say it and whose weight is stored as codes:
/// TensorRT up to version 9 takes it from weights that are constants, but not from quantized ones.
///
///     before   y = Conv(x, DequantizeLinear(codes, s, z))         codes [O, I, kH, kW]
///     after    y = Conv(x, DequantizeLinear(codes, s, z)) kernel_shape=[kH, kW]
///
/// @returns at how many it was written. A second run finds nothing to do.
int say_kernel_shapes(graph::Graph& graph);

}  // namespace yoloq::runtime::tensorrt
