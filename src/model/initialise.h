// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "model/description.h"

namespace yoloq::model {

/// Gives every weight the value that training starts from:
///
///     Conv2d weight, bias    uniform in +-1 / sqrt(I / groups * kH * kW)
///     BatchNorm2d            weight 1, bias 0, mean 0, variance 1
///     Detect bias, added     objectness  log(8 / (640 / stride)^2)    8 objects in a 640 px image
///                            classes     log(0.6 / (classes - 0.99999))
///
/// A tensor's values depend on `seed` and on its name ("model.2.cv1.conv.weight") alone, and are
/// the same on every platform (but for the last bit of the logarithms).
///
/// Source: PyTorch's Conv2d.reset_parameters; Ultralytics YOLOv5 v7.0, models/yolo.py,
/// DetectionModel._initialize_biases.
///
/// @throws Error(corrupt_file) naming a module whose tensors have no usable shape.
void initialise(Description& description, std::uint64_t seed);

/// Another set of classes, and the seed of what has to be new for it.
struct NewHead {
  int class_count = 0;
  std::vector<std::string> names = {};  ///< Empty: "0", "1", ...
  std::uint64_t seed = 0;
};

/// Replaces the convolutions of the detection head by freshly initialised ones for other classes,
/// for fine-tuning. Everything else keeps its weights; strides and anchors stay.
///
/// @throws Error(bad_argument) if the number of classes is not usable or does not fit the names;
///         Error(unsupported) if the model does not end in Detect.
void reset_head(Description& description, const NewHead& head);

/// The same for a graph with raw heads, as emit() makes it: the new weights are the same bits.
///
/// @throws Error(bad_argument) as above; Error(unsupported) if the outputs are not those of
///         convolutions with a bias, one for each stride and list of anchors in the metadata.
void reset_head(graph::Graph& graph, const NewHead& head);

}  // namespace yoloq::model
