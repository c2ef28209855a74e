// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"
#include "model/metadata.h"
#include "vision/geometry.h"

/// @file
/// What find_head() looks at: the outputs of a model, and the convolutions that they come from.

namespace yoloq::detect::detail {

/// A convolution that makes predictions.
struct Source {
  std::string value = {};                   ///< Its output.
  std::int64_t channels = 0;                ///< Of its output; 0 if its weight is not a constant.
  int stride = 0;                           ///< Pixels of the input per cell; 0 if not known.
  std::vector<model::Anchor> anchors = {};  ///< Constants of the decoding behind it, if it has one.
};

/// An output of the model.
struct Output {
  std::size_t index = 0;
  std::string name = {};
  Shape shape = {};                  ///< -1 where a size is not known; empty if nothing is.
  int stride = 0;                    ///< Of a raw level: input height / its height; 0 if not known.
  std::vector<Source> sources = {};  ///< The last convolutions before it.
};

struct Outline {
  std::vector<Output> outputs = {};
  bool has_nodes = false;  ///< False for a compiled file: then nothing is known of the sources.
};

/// Sizes that the graph leaves open are taken as those of one image of 640 x 640, so that strides
/// are known.
Outline outline_of(const graph::Graph& graph);

/// "'output0' [1, 25200, 85], 'other' [?, 3]".
std::string described(const Outline& outline);

}  // namespace yoloq::detect::detail
