// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::runtime {
struct EngineFile;
}

/// @file
/// Graphs on the CPU through OpenVINO:
///
///     Graph -> shift_activations_to_uint8 -> avoid_saturation, on CPUs that need it
///           -> onnx::serialize -> OpenVINO's reader -> CPU plugin
///
/// backend.cpp turns options into OpenVINO's properties, engine.cpp is the Engine around a compiled
/// model. No other file sees OpenVINO's headers.

namespace yoloq::runtime::openvino {

/// As runtime::compile() for the CPU.
///
/// @throws Error(unsupported) if the CPU has no instructions for the float type,
/// Error(bad_argument)
///     if there are more streams than threads, Error(backend) with OpenVINO's words.
std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options);

/// As runtime::load().
std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options);

}  // namespace yoloq::runtime::openvino
