// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "graph/graph.h"
#include "model/description.h"

namespace yoloq::model {

/// What leaves the graph.
enum class Head {
  raw,      ///< output_0, output_1, ...: each head's convolution, [N, A * (5 + classes), H/s, W/s].
  decoded,  ///< output: boxes of all heads, [N, boxes, 5 + classes].
};

struct EmitOptions {
  std::optional<std::int64_t> batch = 1;     ///< Absent: chosen at run time, symbol "batch".
  std::optional<std::int64_t> height = 640;  ///< Pixels; absent: symbol "height".
  std::optional<std::int64_t> width = 640;   ///< Pixels; absent: symbol "width".
  Head head = Head::raw;
  std::int64_t opset = 13;  ///< 13 to 19.
};

/// Writes a detector as a graph with the input "images" [N, 3, H, W], RGB in 0..1.
///
/// Nodes are named after modules ("model.2.cv1.conv", "model.2.cv1.bn", "model.2.cv1.act/Sigmoid"),
/// the value a node makes like the node, constants like state_dict keys
/// ("model.2.cv1.conv.weight"). BatchNormalization stays a node of its own, SiLU is Sigmoid and
/// Mul. Metadata holds Description::info.
///
/// The decoded head, with p = sigmoid(raw), c the cell's column and row, s the head's stride, a the
/// anchor in pixels:
///
///     centre = (2 p - 0.5 + c) * s      pixels of the input
///     size   = (2 p)^2 * a              pixels of the input
///     the rest (objectness, classes) is p
///
/// Boxes stand in the order head, anchor, row, column.
/// Source: Ultralytics YOLOv5, models/yolo.py, Detect.forward, releases v5.0 to v7.0.
///
/// @throws Error(bad_argument) for a size that the strides do not divide or an unknown opset;
///         Error(corrupt_file) naming the module whose tensors or sources contradict each other.
graph::Graph emit(const Description& description, const EmitOptions& options = {});

}  // namespace yoloq::model
