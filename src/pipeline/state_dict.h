// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/state_dict.h"
#include "graph/graph.h"

namespace yoloq::pipeline {

/// The weights of a float model as the state_dict of the Ultralytics module that it was emitted
/// from: weights and biases of convolutions, BatchNormalization, and Detect's anchors in cells.
/// With BatchNormalization folded it is the state_dict of the fused module.
///
/// Source: Ultralytics YOLOv5 v7.0, models/yolo.py, Detect registers `anchors`, [heads, anchors,
/// 2].
///
/// @throws Error(unsupported) naming a constant that does not have a name of PyTorch's, as of a
///     foreign ONNX file.
std::vector<checkpoint::NamedTensor> state_dict_of(const graph::Graph& graph);

}  // namespace yoloq::pipeline
