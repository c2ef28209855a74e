// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::runtime::tensorrt {

/// Parses, optimizes and serializes: the bytes that TensorRT's runtime reads.
///
/// @throws Error(bad_argument) if sizes are open and no profile says which, Error(unsupported) for
///     what this version lacks, Error(backend) with TensorRT's words.
std::string build_plan(const graph::Graph& graph, const EngineOptions& options);

}  // namespace yoloq::runtime::tensorrt
