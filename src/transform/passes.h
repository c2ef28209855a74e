// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "transform/focus_to_conv.h"    // IWYU pragma: export
#include "transform/fold_batch_norm.h"  // IWYU pragma: export
#include "transform/rename_layers.h"    // IWYU pragma: export

/// @file
/// Rewrites of float models, all exact up to rounding:
///
///     Graph ── run_passes ──▶ Graph of fewer nodes, the same outputs
///
/// To add one: copy fold_batch_norm.{h,cpp} and its test, then add a row in passes.cpp; the command
/// line, docs/reference/passes.md and the conformance test read that table.

namespace yoloq::transform {

/// One row per pass.
struct Pass {
  std::string_view name;      ///< As typed on the command line, "fold-batch-norm".
  std::string_view reason;    ///< What it does, and why it stands where it does.
  int (*run)(graph::Graph&);  ///< Returns how many places it changed.
  bool optional = false;      ///< Runs only when asked for.
};

/// All passes, in the order in which they run.
std::span<const Pass> passes();

struct PassOptions {
  std::vector<std::string> skip{};  ///< Names of passes that do not run.
  std::vector<std::string> also{};  ///< Names of optional passes that do.
};

/// What one pass did, over all rounds.
struct PassResult {
  std::string name;
  int changes = 0;
  double ms = 0;
};

/// Runs the passes in their order, and again until a whole round changes nothing. The graph is
/// verified after each pass that changed it.
///
/// @throws Error(bad_argument) for a name that is no pass, listing those that are; what the passes
///         throw for a graph that contradicts itself; Error(bad_state) naming the passes if they
///         never come to rest, which would be a defect of theirs.
std::vector<PassResult> run_passes(graph::Graph& graph, const PassOptions& options = {});

/// run_passes() with all that is not optional, and name_nodes() behind them: what `--simplify`
/// does.
std::vector<PassResult> simplify(graph::Graph& graph);

}  // namespace yoloq::transform
