// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace yoloq::quantize {

/// A Conv that can run in int8: its weight is a constant of rank 4.
struct Layer {
  int id = 0;            ///< Position among the quantizable layers, as `yoloq inspect` prints it.
  graph::NodeId node{};  ///< The Conv.
  std::string name;      ///< The node's name, "model.2.cv1.conv"; unique.
  std::string input;     ///< Value name of the activation it reads, [N, I, H, W].
  std::string weight;    ///< Value name of its weight, [O, I / groups, kH, kW].
  std::string bias;      ///< Value name of its bias, [O]; empty if it has none.
  bool feeds_head = false;  ///< No further Conv reads what it computes: a convolution of the head.
};

/// The quantizable layers in execution order; ids count from 0.
///
/// @throws Error(corrupt_file) if two of them have the same name or one has none.
std::vector<Layer> quantizable_layers(const graph::Graph& graph);

/// @throws Error(bad_value) naming the layer if its weight or its bias holds NaN or infinity, which
///     no code stands for.
void require_finite(const graph::Graph& graph, const Layer& layer);

/// The layers that `pattern` means: an id ("17"), a name, or a glob with * and ? over names.
///
/// @throws Error(bad_argument) if it matches none; the message lists the layers that come closest.
std::vector<int> matching_layers(std::span<const Layer> layers, std::string_view pattern);

}  // namespace yoloq::quantize
