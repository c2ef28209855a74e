// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::quantize {

/// Moves quantizers up, before operators that only move values: Concat, MaxPool, nearest Resize.
///
///     before   p = MaxPool(a)   c = Concat(a, p)   q = QuantizeLinear(c, s, z)
///              d = DequantizeLinear(q, s, z)       y = Conv(d, W)
///     after    q = QuantizeLinear(a, s, z)         d = DequantizeLinear(q, s, z)
///              p = MaxPool(d)   c = Concat(d, p)   y = Conv(c, W)
///
/// Every Conv gets the same bits: rounding keeps order, so it may come before a maximum, and it
/// does not care where a value stands. What changes is speed: the operators in between run on
/// codes, a quarter of the bytes, and what computes `a` writes codes itself.
///
/// Leaves alone: results that others read as well, also as outputs of the graph; movements that a
/// constant enters; and a value that another quantizer has already, with another scale or zero
/// point: a tensor has one quantizer.
///
/// @returns how many were moved. A second run finds nothing to do.
int raise_quantizers(graph::Graph& graph);

}  // namespace yoloq::quantize
