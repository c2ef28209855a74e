// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Names each Conv of a foreign file as Ultralytics' module, which is what users know and type.
///
/// | from the                  | before                       | after                |
/// |---------------------------|------------------------------|----------------------|
/// | weight's name             | model.2.cv1.conv.weight      | model.2.cv1.conv     |
/// | node's path (torch 1.13+) | /model.2/cv1/conv/Conv       | model.2.cv1.conv     |
/// | the same, in a container  | /model.4/m/m.0/cv1/conv/Conv | model.4.m.0.cv1.conv |
///
/// The weight is also found behind QuantizeLinear and DequantizeLinear. A Conv of which neither
/// says anything, or whose new name is taken, keeps its name; one without a name gets its output's,
/// and of two with the same name the second gets a number. Other nodes and values keep their names.
/// A second run finds nothing to do.
///
/// @returns how many nodes got another name.
int rename_layers(graph::Graph& graph);

/// Gives each node a name that no other has, as plans say by names who reads what: one without a
/// name gets its output's, and of nodes with the same name all but the first, or but the Conv, get
/// a number. A second run finds nothing to do.
///
/// @returns how many nodes got another name.
int name_nodes(graph::Graph& graph);

}  // namespace yoloq::transform
