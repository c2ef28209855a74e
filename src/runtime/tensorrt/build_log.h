// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine.h"

namespace yoloq::runtime::tensorrt {

/// An input, a constant or an output of a layer that was built.
struct BuiltTensor {
  std::string name;
  std::string type;  ///< In TensorRT's words: "Int8", "Half", "Float", ...
};

/// One layer of a plan, as its builder lists it.
struct BuiltLayer {
  std::string name;
  std::string kind;  ///< "correlation", "kgen", "maxpool", ...
  std::vector<BuiltTensor> inputs;
  std::vector<BuiltTensor> constants;
  std::vector<BuiltTensor> outputs;
  std::vector<std::string> origins;  ///< Graph nodes, from "[ONNX Layer: name]".
};

/// Reads the list of layers that a builder with detailed verbosity logs when it has finished. It is
/// all there is to see of a plan on a machine that cannot load it.
///
///     Layers:
///     Name: a, LayerType: correlation, Inputs: [ { Name: x, ..., Datatype: Int8, ... }, ...],
///         Constants: [...], Outputs: [...], ..., Metadata: [ONNX Layer: model.0.conv]...
///
/// Source: what TensorRT-RTX 1.7.1 logs; each layer is one line.
///
/// @param message  as one call of EngineOptions::log gives it.
/// @returns nothing if the message is another one.
std::vector<BuiltLayer> read_build_log(std::string_view message);

/// True if it computes a convolution.
bool is_convolution(const BuiltLayer& layer);

/// False for a layer that only orders others: "signal", "wait".
bool computes(const BuiltLayer& layer);

/// As a row of an engine's layer table, as far as the log tells.
LayerInfo layer_info(const BuiltLayer& layer);

/// True if it is a convolution of 8-bit activations with 8-bit weights.
bool is_int8_convolution(const BuiltLayer& layer);

}  // namespace yoloq::runtime::tensorrt
