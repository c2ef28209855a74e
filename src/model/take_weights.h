// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "graph/graph.h"

namespace yoloq::model {

/// What a model has of another's weights.
struct TakenWeights {
  std::size_t taken = 0;
  std::size_t all = 0;  ///< That the model has.

  friend bool operator==(const TakenWeights&, const TakenWeights&) = default;
};

/// Copies into `graph` every tensor of Conv and BatchNormalization that has the same name and
/// shape in `trained`, so that a model of a yaml starts from a checkpoint of a similar one: all
/// but the head where classes are others, the layers that are left where some were changed. The
/// others stay as they are, as do anchors, names and everything else of the graph.
///
/// Source: Ultralytics YOLOv5 v7.0, train.py with --cfg and --weights, and intersect_dicts of
/// utils/general.py. Its counts also have BatchNorm2d's num_batches_tracked and Detect's anchors.
///
/// @throws Error(bad_argument) if no tensor fits; Error(unsupported) if BatchNormalization is
///         folded in `trained` alone: its convolutions mean something else then.
TakenWeights take_weights(graph::Graph& graph, const graph::Graph& trained);

}  // namespace yoloq::model
