// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::runtime::tensorrt {

/// What a build makes.
struct Plan {
  std::string bytes;              ///< That TensorRT's runtime reads.
  std::vector<LayerInfo> layers;  ///< As the builder listed them; empty if it did not.
};

/// Parses, optimizes and serializes.
///
/// @param device  the GPU that it is built on, as text_of() says it.
/// @throws Error(bad_argument) if sizes are open and no profile says which, Error(unsupported) for
///     what this version lacks, Error(backend) with TensorRT's words.
Plan build_plan(const graph::Graph& graph, const EngineOptions& options, const std::string& device);

}  // namespace yoloq::runtime::tensorrt
