// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/dtype.h"
#include "graph/graph.h"

namespace yoloq::runtime {

bool is_quantize(const graph::Node& node);
bool is_dequantize(const graph::Node& node);

/// The integer type that a QuantizeLinear writes: its zero point's, else its output_dtype, else
/// uint8, as ONNX says. Undefined if the zero point is not a constant and of unknown type.
DType code_type(const graph::Graph& graph, const graph::Node& quantize);

}  // namespace yoloq::runtime
