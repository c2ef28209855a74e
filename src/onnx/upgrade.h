// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::onnx {

/// The versions of ONNX's own operators that upgrade_opset reads and makes.
inline constexpr int kOldestOpset = 9;
inline constexpr int kFirstTarget = 13;  ///< The first with per-channel DequantizeLinear.
inline constexpr int kLastTarget = 19;

/// Rewrites the nodes of ONNX's own domain for version `target` of the operators, which compute the
/// same; raises the file format's version where that needs it. A graph that is at `target` or later
/// stays as it is.
///
///     before   y = Squeeze(x) axes=[1]          opset 12
///     after    y = Squeeze(x, y/axes)           opset 13, y/axes = int64[1] {1}
///
/// In files older than IR 4 each constant had to be an input of the graph too; those inputs go.
///
/// To support one more operator or version: add its rows in upgrade.cpp.
///
/// Source: the operator schemas' histories in ONNX's Changelog.md.
///
/// @throws Error(bad_argument) if `target` is not kFirstTarget to kLastTarget, Error(unsupported)
///     naming the node if it has no rule, or if what it does cannot be said in the later version;
///     `graph` is then as it was.
void upgrade_opset(graph::Graph& graph, int target);

}  // namespace yoloq::onnx
