// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "coco/match.h"
#include "core/progress.h"
#include "dataset/data_yaml.h"
#include "graph/graph.h"
#include "pipeline/ground_truth.h"
#include "pipeline/model.h"
#include "runtime/engine.h"

namespace yoloq::sensitivity {

/// Images to measure AP on while layers are chosen.
struct LabelledImages {
  std::vector<std::filesystem::path> images;
  pipeline::GroundTruth truth;
  std::vector<std::string> skipped = {};  ///< One message per image left out.
};

struct LabelledImagesOptions {
  std::string split = "train";
  std::filesystem::path annotations;  ///< Empty: see pipeline::find_ground_truth().
  std::size_t count = 300;            ///< Picked by pipeline::pick_images(); all if fewer.
  bool skip_bad = false;              ///< Leave out images that do not decode, of those picked.
};

/// Picks images of a split and finds what is to be found in them.
///
/// @throws Error(not_found) if the split has no image or skip_bad leaves none, Error(bad_argument)
///     if none of the images shows anything; what list_images() and find_ground_truth() throw.
LabelledImages labelled_images(const dataset::Dataset& dataset,
                               const LabelledImagesOptions& options);

/// What a graph finds in the images, matched with what is there.
///
/// @param graph  `model` itself or a quantized form of it.
coco::Matches matches_of(const pipeline::DetectionModel& model, const graph::Graph& graph,
                         const LabelledImages& images, const runtime::EngineOptions& engine,
                         const Progress& progress = {});

/// AP .5:.95 of matches_of(), 0 to 1.
double ap_of(const pipeline::DetectionModel& model, const graph::Graph& graph,
             const LabelledImages& images, const runtime::EngineOptions& engine,
             const Progress& progress = {});

}  // namespace yoloq::sensitivity
