// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace yoloq::quantize {

/// What a Q/DQ file asks for at one Conv, and what stands in the way of it.
struct LintRow {
  int id = -1;  ///< Of quantizable_layers(); -1: the Conv can never be int8.
  std::string name;
  bool int8 = false;                   ///< Activation and weight are both quantized.
  std::vector<std::string> obstacles;  ///< Why a runtime cannot run it in int8, or not fast.
  std::vector<std::string> limits;     ///< Runtimes that will not take it as it is, and why.
};

/// Looks at every Conv, also at those that were never quantized:
///
/// - activation or weight not behind DequantizeLinear: runs in float; Concat, MaxPool and nearest
///   Resize may stand in between
/// - a Concat of activations with different scales: runs in float
/// - activation scale per channel, weight scale on another axis than 0: no runtime has such kernels
/// - QuantizeLinear between Conv and its SiLU: keeps the two from becoming one kernel
/// - int8 with a zero point other than 0, or uint8: not for TensorRT
///
/// Source: NVIDIA TensorRT developer guide, "Explicit quantization"; ONNX Runtime, "Quantize ONNX
/// models".
std::vector<LintRow> lint(const graph::Graph& graph);

}  // namespace yoloq::quantize
