// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"
#include "runtime/engine.h"

/// @file
/// What TensorRT wants of a graph, beyond what ONNX does.

namespace yoloq::runtime::tensorrt {

/// TensorRT has int8 codes with zero point 0 and no others; what its parser says of others does not
/// tell a user what to do.
///
/// @throws Error(unsupported) naming the first quantizer of other codes, and how to write a file
///     that TensorRT reads.
void require_symmetric_int8(const graph::Graph& graph);

/// Checks that every scale of a quantizer is float32, for parsers that read no others.
///
/// @throws Error(unsupported) naming the first quantizer with another scale, and what to do.
void require_float32_scales(const graph::Graph& graph);

/// The graph with the types of its outputs, which TensorRT wants to be told.
///
/// @throws Error(corrupt_file) as graph::infer_shapes().
graph::Graph with_output_types(graph::Graph graph);

/// What the float part of a graph computes in by its own types: that of most convolutions' biases,
/// or weights where there is no bias.
FloatType float_type_in(const graph::Graph& graph);

/// Checks that a strongly typed network, which computes in the types of its file, is asked for no
/// other float type than those.
///
/// @throws Error(unsupported) saying how to write such a file.
void require_float_type(const graph::Graph& graph, FloatType wanted);

}  // namespace yoloq::runtime::tensorrt
