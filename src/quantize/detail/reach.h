// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "graph/graph.h"

namespace yoloq::quantize::detail {

/// The nodes whose result some Conv depends on. What is not among them comes behind the last
/// convolutions: the head's own and the decoding of boxes, which stay in float.
std::set<graph::NodeId> ancestors_of_convolutions(const graph::Graph& graph);

}  // namespace yoloq::quantize::detail
