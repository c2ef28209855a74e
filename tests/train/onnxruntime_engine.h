// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::test {

/// ONNX Runtime, literally, as an engine: each run starts the oracle anew, so give it large
/// batches.
///
/// @param graph  of fixed sizes.
std::shared_ptr<runtime::Engine> onnxruntime_engine(const graph::Graph& graph);

}  // namespace yoloq::test
