// SPDX-License-Identifier: Apache-2.0
#include "transform/passes.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "graph/verify.h"
#include "transform/eliminate_dead.h"
#include "transform/eliminate_identity.h"
#include "transform/fold_affine.h"
#include "transform/fold_constants.h"
#include "transform/fuse_pad.h"
#include "transform/merge_duplicates.h"
#include "transform/merge_layout.h"
#include "transform/settle_shapes.h"

namespace yoloq::transform {

namespace {

/// Real files settle after three to five rounds.
constexpr int kMostRounds = 50;

constexpr Pass kPasses[] = {
    {"rename-layers",
     "Names Convs as Ultralytics' modules; first, as what others add is named after them",
     rename_layers},
    {"fold-constants",
     "Computes what is the same in every run; early, as all others match constants",
     fold_constants},
    {"settle-shapes", "Proves sizes that are chosen at run time equal; before what compares shapes",
     settle_shapes},
    {"eliminate-identity",
     "Removes nodes that give what they are given; before what looks at neighbours",
     eliminate_identity},
    {"merge-layout", "Reshape, Transpose or Slice twice in a row into one", merge_layout},
    {"merge-duplicates", "One node for equal ones; after the merges, which make more of them equal",
     merge_duplicates},
    {"focus-to-conv", "Focus and its Conv into one 6x6 Conv; after its slices are merged",
     focus_to_conv, true},
    {"fuse-pad", "Pad by zeros into the Conv behind it", fuse_pad},
    {"fold-batch-norm", "BatchNormalization into the Conv before it; before ranges are measured",
     fold_batch_norm},
    {"fold-affine", "Mul and Add of constants into the Conv before them; after fold-batch-norm",
     fold_affine},
    {"eliminate-dead", "Removes what nothing reads any more; after all that leave something behind",
     eliminate_dead},
};

bool contains(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

void require_known(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (std::ranges::find(kPasses, name, &Pass::name) != std::end(kPasses)) continue;
    std::string known;
    for (const Pass& pass : kPasses) {
      known += (known.empty() ? "" : ", ") + std::string(pass.name);
    }
    fail(ErrorCode::bad_argument, "no pass '{}'; known: {}", name, known);
  }
}

void run_one(const Pass& pass, graph::Graph& graph, PassResult& result, int& changes) {
  const auto start = std::chrono::steady_clock::now();
  const int count = pass.run(graph);
  const auto stop = std::chrono::steady_clock::now();
  result.ms += std::chrono::duration<double, std::milli>(stop - start).count();
  result.changes += count;
  changes += count;
  if (count == 0) return;
  try {
    graph::verify(graph);
  } catch (const Error& error) {
    throw error.within("after the pass " + result.name);
  }
}

}  // namespace

std::span<const Pass> passes() { return kPasses; }

std::vector<PassResult> run_passes(graph::Graph& graph, const PassOptions& options) {
  require_known(options.skip);
  require_known(options.also);
  graph::verify(graph);
  std::vector<Pass> chosen;
  std::vector<PassResult> results;
  for (const Pass& pass : kPasses) {
    if (contains(options.skip, pass.name)) continue;
    if (pass.optional && !contains(options.also, pass.name)) continue;
    chosen.push_back(pass);
    results.push_back({.name = std::string(pass.name)});
  }
  for (int round = 0; round < kMostRounds; ++round) {
    int changes = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      run_one(chosen[i], graph, results[i], changes);
    }
    if (changes == 0) return results;
  }
  std::string restless;
  for (const PassResult& result : results) {
    if (result.changes > 0) restless += ' ' + result.name;
  }
  fail(ErrorCode::bad_state, "after {} rounds these passes still find something to change:{}",
       kMostRounds, restless);
}

std::vector<PassResult> simplify(graph::Graph& graph) {
  std::vector<PassResult> results = run_passes(graph);
  name_nodes(graph);
  return results;
}

}  // namespace yoloq::transform
