// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coco/annotations.h"
#include "core/progress.h"
#include "dataset/data_yaml.h"

namespace yoloq::pipeline {

/// What is to be found in a list of images, in COCO's terms.
struct GroundTruth {
  coco::Annotations annotations;
  std::vector<std::int64_t> image_ids;     ///< One per image of the list.
  std::vector<std::int64_t> category_ids;  ///< One per class of the model.
  std::string source;                      ///< The annotation file, or that labels were used.
};

struct GroundTruthOptions {
  std::string split = "val";
  std::filesystem::path annotations;  ///< Overrides the data yaml; empty: as the yaml says.
  Progress progress;
};

/// Finds the ground truth: `annotations` of the options, else what dataset::find_annotations()
/// says, else, for another split than val, the yaml's `annotations` if they list all the images and
/// no other image of val could be meant by an entry of them, else made from the label files.
///
/// Classes meet categories by name where every class name is a category's; else in the order of
/// category ids where there are as many (COCO's 80 classes have ids 1 to 90).
///
/// @throws Error(bad_argument) if neither fits or an image is not among the annotations;
///     Error(not_found) if there is nothing of the above.
GroundTruth find_ground_truth(const dataset::Dataset& dataset,
                              std::span<const std::filesystem::path> images,
                              const GroundTruthOptions& options);

/// The categories' ids by class index, as find_ground_truth() does.
std::vector<std::int64_t> match_categories(std::span<const std::string> class_names,
                                           std::span<const coco::Category> categories);

}  // namespace yoloq::pipeline
