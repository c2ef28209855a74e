// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::runtime {
struct EngineFile;
}

/// @file
/// Graphs on NVIDIA GPUs through TensorRT 8.5 to 11:
///
///     Graph -> spell_out_weights (up to 9) -> onnx::serialize -> TensorRT's parser -> builder ->
///     plan -> EngineFile -> runtime -> Engine
///
/// builder.cpp makes a plan, engine.cpp brings one onto its device, request.cpp runs one batch,
/// shape_limits.cpp says which batches fit, inspector.cpp reads what a plan says of its layers.
/// detail/version.h holds every difference between the versions; detail/library.cpp opens the
/// libraries when they are first needed, so that a program built for TensorRT runs without it.

namespace yoloq::runtime::tensorrt {

/// As runtime::compile(). The plan is built at once; a device is needed when a request is made or
/// layers are asked for.
///
/// Implicit INT8 is used with GpuOptions::native_ptq only, explicit INT8 where the graph has
/// QuantizeLinear.
///
/// @throws Error(unsupported) for what this version of TensorRT lacks; Error(backend) with every
///     message of parser and builder.
std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options);

/// As runtime::load().
///
/// @throws Error(unsupported) if another version or another GPU made the file.
std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options);

/// TensorRT's version and the GPUs that can be used, in the order of GpuOptions::device.
///
/// @throws Error(unsupported) without the library, a driver or a GPU.
std::string identity();

/// The calibrators of implicit INT8, for NativePtq::method.
std::span<const std::string_view> native_calibrators();

}  // namespace yoloq::runtime::tensorrt
