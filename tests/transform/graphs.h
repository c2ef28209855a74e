// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "graph/graph.h"
#include "graph/text.h"

/// @file
/// What the tests of all passes need: random inputs, and outputs that can be compared.

namespace yoloq::graph {

/// Lets a failed comparison show the graph.
inline void PrintTo(const Graph& graph, std::ostream* out) { *out << to_text(graph); }

}  // namespace yoloq::graph

namespace yoloq::transform {

/// A graph, as text, that a pass has to leave as it is.
struct LeftAlone {
  const char* why;
  const char* graph;
};

inline void PrintTo(const LeftAlone& row, std::ostream* out) { *out << row.why; }

/// float32 noise of mean 0 and deviation 1, the same for the same seed.
Tensor noise(Shape shape, std::uint32_t seed = 1);

/// The outputs of `graph` on the reference executor; each typed input is noise. Unknown sizes are
/// taken from `sizes` by their symbol.
std::map<std::string, Tensor> run(const graph::Graph& graph,
                                  const std::map<std::string, std::int64_t>& sizes = {});

/// Fails the test unless both give outputs of the same names and shapes within `tolerance` of the
/// largest element.
void expect_same_outputs(const graph::Graph& actual, const graph::Graph& expected,
                         const std::map<std::string, std::int64_t>& sizes = {},
                         double tolerance = 1e-6);

}  // namespace yoloq::transform
