// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::runtime::openvino {

/// Lets signed activations be stored as uint8; weights stay int8.
///
///     before   q = QuantizeLinear(x, s, z)         z int8      code = round(x / s) + z in
///     -128..127
///              y = DequantizeLinear(q, s, z)                   y = (code - z) * s
///     after    q = QuantizeLinear(x, s, z + 128)   z uint8     code + 128 in 0..255
///              y = DequantizeLinear(q, s, z + 128)             the same y, exactly
///
/// Between the two may stand operators that only move codes (Concat, MaxPool, Reshape, ...).
///
/// Why: OpenVINO's CPU plugin (2026.4.1) computes wrong values, without a word, where signed
/// activations meet a Concat; unsigned ones come out right and run at the same speed.
///
/// Leaves alone: codes that are a graph input or output, that anything else reads, or whose zero
/// point is not a constant; quantized constants. A second run finds nothing to do.
///
/// @returns how many QuantizeLinear nodes were changed.
int shift_activations_to_uint8(graph::Graph& graph);

}  // namespace yoloq::runtime::openvino
