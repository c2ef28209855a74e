// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <openvino/core/model.hpp>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace yoloq::runtime::openvino {

/// Milliseconds by the runtime's name of a layer.
using LayerTimes = std::map<std::string, double>;

/// The layers of a runtime model (ov::CompiledModel::get_runtime_model) in execution order, without
/// the model's ends, its constants and what is computed from constants alone.
///
/// @param nodes  what OpenVINO calls a node, and its name in the Graph.
std::vector<LayerInfo> layer_table(const ov::Model& runtime_model, const Metadata& nodes,
                                   const LayerTimes& times);

}  // namespace yoloq::runtime::openvino
