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
  std::vector<std::string> notices = {};   ///< What was taken for another thing, to be shown.
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
/// An image meets the annotated one whose file_name shares most of the end of its path, folders
/// included; of those without a file_name the one whose id its name is, 139 for 000000000139.jpg.
///
/// Classes meet categories by name, in any case, where every class name is a category's; else, with
/// a notice, in the order of category ids where there are as many (COCO's 80 classes have ids 1 to
/// 90).
///
/// @throws Error(bad_argument) if neither fits, an image is not among the annotations or may be
///     several of them, or two images are one of them; Error(not_found) if there is nothing of the
///     above.
GroundTruth find_ground_truth(const dataset::Dataset& dataset,
                              std::span<const std::filesystem::path> images,
                              const GroundTruthOptions& options);

/// The categories' ids by class index.
struct CategoryMatch {
  std::vector<std::int64_t> ids;
  std::string notice = {};  ///< Why by number; empty: by name.
};

/// Matches as find_ground_truth() does.
CategoryMatch match_categories(std::span<const std::string> class_names,
                               std::span<const coco::Category> categories);

/// A notice that names the first class that a model and a data set call by other names, case apart;
/// none if there is none. Names that are the class's number alone ("3", "class3") say nothing.
std::optional<std::string> name_difference(std::span<const std::string> model_names,
                                           std::span<const std::string> class_names);

}  // namespace yoloq::pipeline
