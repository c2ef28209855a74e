// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Removes what no output of the graph depends on: nodes, constants, and the types of values that
/// are gone. Inputs of the graph stay, as they are its interface, except those that only repeat a
/// constant (files before ONNX's IR 4 list each constant as an input too).
///
/// Linear in the size of the graph. A second run finds nothing to do.
///
/// @returns how many nodes, constants and such inputs were removed.
int eliminate_dead(graph::Graph& graph);

}  // namespace yoloq::transform
