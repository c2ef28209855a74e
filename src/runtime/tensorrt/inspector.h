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

/// "i8", "f16", ... from TensorRT's description of a type or format; the description itself if it
/// speaks of no known type.
std::string precision_of(std::string_view format);

/// True if a layer computes a convolution, by its kind: "CaskConvolution", "correlation" and, in
/// one kernel with what follows, "runtime_fusion" with a name like "__myl_CorrSilu_myl0_4", or
/// "__myl_FcAddSilu_myl0_9" where a 1x1 one is computed as a matrix product.
bool is_convolution(std::string_view kind, std::string_view name);

}  // namespace yoloq::runtime::tensorrt
