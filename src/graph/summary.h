// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace yoloq::graph {

/// What one node is and costs.
struct NodeSummary {
  std::string name;  ///< The node's, or its first output's where it has none.
  std::string op;    ///< ONNX op type.
  ValueType output;  ///< Of its first output, as far as it is known.
  std::uint64_t parameters =
      0;  ///< Elements of the layer's constants: weights, biases, statistics.
  std::optional<std::uint64_t> macs;  ///< Multiply-accumulates of one run; none if a size is open.
};

/// The costs of a model. One multiply-accumulate is two floating-point operations, as Ultralytics
/// prints them; only Conv, ConvTranspose, Gemm and MatMul count, which are all but a percent.
struct Summary {
  std::vector<NodeSummary> nodes;      ///< In execution order.
  std::uint64_t parameters = 0;        ///< Each constant once, however many layers read it.
  std::optional<std::uint64_t> flops;  ///< 2 * the sum of macs; none if one of them is open.
};

/// Sums up a graph from its inferred shapes. Constants that carry a layer's parameters are those of
/// Conv, ConvTranspose, Gemm, MatMul and BatchNormalization, also behind DequantizeLinear; targets
/// of Reshape, grids and anchors do not count.
///
/// @throws Error(corrupt_file) naming the node whose inputs contradict it.
Summary summarize(const Graph& graph);

}  // namespace yoloq::graph
