// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "sensitivity/methods.h"
#include "sensitivity/profile.h"

namespace yoloq::sensitivity {

/// The float model for one image, shapes inferred: what variants are cut from.
graph::Graph base_graph(const pipeline::DetectionModel& model);

/// The same with the outputs of the head's convolutions in place of the model's own, fine to coarse
/// as the anchors are: files may compute them in any order.
graph::Graph base_graph_to_heads(const pipeline::DetectionModel& model);

/// Names of the layers that the plan quantizes, in execution order.
std::vector<LayerCost> quantized_layers(const Subject& subject);

/// A profile without layers, with all that says what it is of.
Profile empty_profile(const Subject& subject, std::string method, std::string unit);

/// One graph for each layer of `layers`.
std::vector<graph::Graph> variants_of(const graph::Graph& base, const quantize::Plan& plan,
                                      std::span<const LayerCost> layers);

}  // namespace yoloq::sensitivity
