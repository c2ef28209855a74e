// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "model/metadata.h"

namespace yoloq::detect::detail {

/// Anchors that a graph multiplies with: (2 sigmoid(t))^2 * anchors.
struct AnchorConstant {
  std::string product = {};                 ///< The value computed with them.
  std::vector<model::Anchor> anchors = {};  ///< Pixels, one per anchor.
};

/// Finds the anchors in a graph that decodes its own head, as Ultralytics' exporters write it: a
/// constant [1, na, H, W, 2], or one expanded to it, that a squared value is multiplied with.
///
/// @param graph  with all shapes known; where they are not, nothing is found.
std::vector<AnchorConstant> anchor_constants(const graph::Graph& graph);

}  // namespace yoloq::detect::detail
