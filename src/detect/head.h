// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "model/metadata.h"

namespace yoloq::detect {

/// How a model gives its predictions. na: anchors per cell, nc: classes.
enum class HeadForm {
  raw4d,  ///< Per level [N, na * (5 + nc), H, W], before the sigmoid: the convolutions themselves.
  raw5d,  ///< Per level [N, na, H, W, 5 + nc], before the sigmoid.
  decoded,  ///< All levels in one [N, rows, 5 + nc]: x, y, w, h in pixels, then probabilities.
};

/// Where in a model's outputs the predictions are and what they mean.
struct Head {
  HeadForm form = HeadForm::raw4d;
  std::vector<std::string> outputs;  ///< Names: one per level, fine to coarse, or the decoded one.
  std::vector<std::size_t> indices;  ///< The same as places among the graph's outputs.
  std::vector<int> strides;          ///< Pixels per cell of each level; may be empty if decoded.
  std::vector<std::vector<model::Anchor>> anchors;  ///< Pixels, per level; may be empty if decoded.
  int class_count = 0;
  std::vector<std::string> names;  ///< Of the classes.

  friend bool operator==(const Head&, const Head&) = default;
};

/// What the user knows of a model whose file does not say it. Empty: not known.
struct HeadHints {
  std::vector<std::string> names = {};                   ///< Those of the data yaml.
  std::vector<std::vector<model::Anchor>> anchors = {};  ///< Pixels, per level, fine to coarse.
};

/// Finds the head of a YOLOv5 model by the structure of its graph: files of yoloq and of
/// Ultralytics' exporters (v5.0 to v7.0), float or with QuantizeLinear, static or dynamic.
///
/// The decoded output is taken where there is one. Names and anchors come from the metadata, else
/// from the graph's constants, else from `hints`.
///
/// @throws Error(unsupported) if the graph has no such head, Error(bad_argument) that names what is
/// neither in the file nor in `hints`, or where the two contradict each other.
Head find_head(const graph::Graph& graph, const HeadHints& hints = {});

}  // namespace yoloq::detect
