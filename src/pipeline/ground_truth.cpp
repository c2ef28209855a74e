// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ground_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "dataset/images.h"
#include "dataset/labels.h"
#include "dataset/resolve.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

/// The id of each image: that of the annotated image with its file name, else the number that the
/// file is called.
std::vector<std::int64_t> match_images(std::span<const fs::path> images,
                                       const coco::Annotations& annotations) {
  std::map<std::string, std::int64_t> by_name;
  std::map<std::int64_t, bool> known;
  for (const coco::Image& image : annotations.images) {
    if (!image.file_name.empty()) by_name[fs::path(image.file_name).filename().string()] = image.id;
    known[image.id] = true;
  }
  std::vector<std::int64_t> ids;
  for (const fs::path& image : images) {
    const auto named = by_name.find(image.filename().string());
    const auto number = dataset::numeric_id(image);
    if (named != by_name.end()) {
      ids.push_back(named->second);
    } else if (number && known.contains(*number)) {
      ids.push_back(*number);
    } else {
      fail(ErrorCode::bad_argument,
           "image '{}' is not among the {} images of the annotations: are they of another split?",
           image.string(), annotations.images.size());
    }
  }
  return ids;
}

GroundTruth from_labels(const dataset::Dataset& dataset, std::span<const fs::path> images,
                        const GroundTruthOptions& options) {
  const dataset::GroundTruth labels =
      dataset::read_ground_truth(images, dataset.names.size(), options.progress);
  GroundTruth truth{.source = fmt::format("label files ({} boxes; {} of {} images have none)",
                                          labels.boxes.size(), labels.unlabelled, images.size())};
  for (std::size_t i = 0; i < images.size(); ++i) {
    truth.image_ids.push_back(static_cast<std::int64_t>(i) + 1);
    truth.annotations.images.push_back({.id = truth.image_ids.back(),
                                        .width = labels.sizes[i].width,
                                        .height = labels.sizes[i].height,
                                        .file_name = images[i].filename().string()});
  }
  for (std::size_t c = 0; c < dataset.names.size(); ++c) {
    truth.category_ids.push_back(static_cast<std::int64_t>(c) + 1);
    truth.annotations.categories.push_back({truth.category_ids.back(), dataset.names[c]});
  }
  for (const dataset::TruthBox& box : labels.boxes) {
    truth.annotations.boxes.push_back(
        {.id = std::ssize(truth.annotations.boxes) + 1,
         .image_id = truth.image_ids[box.image],
         .category_id = truth.category_ids[static_cast<std::size_t>(box.class_index)],
         .bbox = {box.x, box.y, box.width, box.height},
         .area = box.width * box.height});
  }
  return truth;
}

}  // namespace

std::vector<std::int64_t> match_categories(std::span<const std::string> class_names,
                                           std::span<const coco::Category> categories) {
  std::map<std::string_view, std::int64_t> by_name;
  std::vector<std::int64_t> in_order;
  for (const coco::Category& category : categories) {
    by_name[category.name] = category.id;
    in_order.push_back(category.id);
  }
  std::ranges::sort(in_order);

  std::vector<std::int64_t> ids;
  for (const std::string& name : class_names) {
    if (const auto found = by_name.find(name); found != by_name.end()) ids.push_back(found->second);
  }
  if (ids.size() == class_names.size()) return ids;
  if (in_order.size() == class_names.size()) return in_order;
  fail(ErrorCode::bad_argument,
       "{} classes do not fit the {} categories of the annotations, neither by name nor by number",
       class_names.size(), categories.size());
}

GroundTruth find_ground_truth(const dataset::Dataset& dataset, std::span<const fs::path> images,
                              const GroundTruthOptions& options) {
  std::optional<fs::path> file = options.annotations;
  if (options.annotations.empty()) file = dataset::find_annotations(dataset, options.split);
  if (!file) return from_labels(dataset, images, options);

  GroundTruth truth{.annotations = coco::read_annotations(*file), .source = file->string()};
  truth.image_ids = match_images(images, truth.annotations);
  truth.category_ids = match_categories(dataset.names, truth.annotations.categories);
  return truth;
}

}  // namespace yoloq::pipeline
