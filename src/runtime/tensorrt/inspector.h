// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine.h"

namespace yoloq::runtime::tensorrt {

/// Reads the JSON of IEngineInspector::getEngineInformation(), of both styles:
///
///     {"Layers": ["name", ...]}                         built without detailed verbosity
///     {"Layers": [{"Name": ..., "LayerType": ...,
///                  "Inputs": [{"Format/Datatype": ...}, ...], "TacticName": ...}, ...]}
///
/// Origins come from "Metadata" ("[ONNX Layer: name]", TensorRT 8.6 and later), else from the name,
/// in which TensorRT joins what it fused ("a + PWN(PWN(b), c)") or computes side by side ("a ||
/// b").
///
/// @throws Error(corrupt_file) if it is no such JSON.
std::vector<LayerInfo> read_layers(std::string_view json);

/// The graph nodes that "[ONNX Layer: name]" names, each once.
std::vector<std::string> origins_in_metadata(std::string_view metadata);

/// What the compiler of TensorRT-RTX calls a convolution.
inline constexpr std::string_view kCorrelation = "correlation";

}  // namespace yoloq::runtime::tensorrt
