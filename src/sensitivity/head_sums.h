// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "sensitivity/methods.h"
#include "sensitivity/variants.h"

namespace yoloq::sensitivity {

/// Figures of one image that add up over images.
using HeadFigures = std::function<std::vector<double>(const VariantOutputs&)>;

/// Runs each layer's variant to the heads and adds up `figures` over the images, in their order:
/// the same bytes for any number of threads.
///
/// @param base  of base_graph_to_heads().
/// @returns one row of sums for each layer.
std::vector<std::vector<double>> head_sums(const Subject& subject, const graph::Graph& base,
                                           std::span<const LayerCost> layers,
                                           const HeadOptions& options, const HeadFigures& figures);

}  // namespace yoloq::sensitivity
