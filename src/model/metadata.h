// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

/// @file
/// What a detector's file says beside its layers, kept in ONNX `metadata_props`:
///
///     names    {0: 'person', 1: 'bicycle'}              as Ultralytics' exporters write it
///     stride   32                                       the largest, as Ultralytics' exporters
///     strides  [8,16,32]                                one per head
///     anchors  [[[10,13],[16,30],[33,23]],...]          width and height in pixels, per head
///     nc       80
///     task     detect

namespace yoloq::model {

/// Width and height in pixels of the network's input.
using Anchor = std::array<float, 2>;

/// Everything that turns the numbers of the heads into named boxes. What a file did not say is
/// empty (or 0).
struct ModelInfo {
  std::vector<std::string> names = {};            ///< By class id.
  std::vector<int> strides = {};                  ///< Pixels per cell, one per head, in head order.
  std::vector<std::vector<Anchor>> anchors = {};  ///< Per head, in pixels.
  int class_count = 0;
  int max_stride = 0;     ///< Known even where `strides` is not: foreign files carry only this one.
  std::string task = {};  ///< "detect" for every model that yoloq writes.
  std::map<std::string, std::string> origin = {};  ///< "date", "version", ... as the file says.

  friend bool operator==(const ModelInfo&, const ModelInfo&) = default;
};

/// Writes `info` into the graph's metadata; keys of other meaning are left alone.
void write_metadata(graph::Graph& graph, const ModelInfo& info);

/// Reads back what write_metadata wrote, or what Ultralytics' exporters (YOLOv5 v6.1 and later,
/// YOLOv8's package) left in their files. Absent keys leave their field empty.
///
/// @throws Error(corrupt_file) naming the key whose text cannot be understood.
ModelInfo read_metadata(const graph::Graph& graph);

/// "{0: 'person', 1: \"driver's cab\"}": Python's repr of a dict, as Ultralytics writes it.
std::string format_names(const std::vector<std::string>& names);

/// Class names from a Python or JSON literal: a list, or a dict whose keys are class ids in any
/// order, as numbers or quoted. An id that a dict leaves out is named by its number.
///
/// @throws Error(corrupt_file) with the offset at which the text cannot be understood.
std::vector<std::string> parse_names(std::string_view literal);

}  // namespace yoloq::model
