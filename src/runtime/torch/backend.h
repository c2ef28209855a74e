// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "runtime/engine.h"

namespace yoloq::runtime {
struct EngineFile;
}

/// @file
/// The LibTorch runtime: float32, quantized layers literally as their Q/DQ nodes say. A reference
/// and the base of training, not made for speed. This header shows nothing of LibTorch.
///
/// Two rows of the registry share it: "torch" computes on the CPU, "torch-cuda" on a GPU, for
/// calibration and sensitivity on machines that have one.

namespace yoloq::runtime::torch {

std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options);
std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options);
std::string identity();
std::string identity_of_gpu();

}  // namespace yoloq::runtime::torch
