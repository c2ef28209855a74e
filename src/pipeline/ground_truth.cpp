// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ground_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "dataset/images.h"
#include "dataset/labels.h"
#include "dataset/resolve.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

/// Finds images among those of an annotation file: the annotated image with an image's file name,
/// else the one whose id is the number that the file is called.
class ImageIds {
 public:
  explicit ImageIds(const coco::Annotations& annotations) {
    for (const coco::Image& image : annotations.images) {
      if (!image.file_name.empty()) {
        by_name_[fs::path(image.file_name).filename().string()] = image.id;
      }
      known_.insert(image.id);
    }
  }

  std::optional<std::int64_t> of(const fs::path& image) const {
    const auto named = by_name_.find(image.filename().string());
    if (named != by_name_.end()) return named->second;
    const auto number = dataset::numeric_id(image);
    return number && known_.contains(*number) ? number : std::nullopt;
  }

 private:
  std::map<std::string, std::int64_t> by_name_;
  std::set<std::int64_t> known_;
};

/// An image of the list that the annotations do not have; none if they have all.
std::optional<fs::path> stranger_among(std::span<const fs::path> images, const ImageIds& ids) {
  const auto found =
      std::ranges::find_if(images, [&](const fs::path& image) { return !ids.of(image); });
  return found == images.end() ? std::nullopt : std::optional(*found);
}

GroundTruth from_annotations(const dataset::Dataset& dataset, std::span<const fs::path> images,
                             const fs::path& file, coco::Annotations annotations) {
  const ImageIds ids(annotations);
  if (const auto stranger = stranger_among(images, ids)) {
    fail(ErrorCode::bad_argument,
         "image '{}' is not among the {} images of the annotations: are they of another split?",
         stranger->string(), annotations.images.size());
  }
  GroundTruth truth{.annotations = std::move(annotations), .source = file.string()};
  for (const fs::path& image : images) truth.image_ids.push_back(*ids.of(image));
  truth.category_ids = match_categories(dataset.names, truth.annotations.categories);
  return truth;
}

/// Why annotations of val are not those of other images as well; empty if they are. Splits may have
/// files of the same names: then nothing says which of the two is annotated.
std::string why_of_val_alone(const dataset::Dataset& dataset, std::span<const fs::path> images,
                             const coco::Annotations& annotations) {
  const ImageIds ids(annotations);
  if (const auto stranger = stranger_among(images, ids)) {
    return fmt::format("it does not list '{}'", stranger->string());
  }
  if (!dataset.splits.contains("val")) return "";
  std::map<std::int64_t, fs::path> taken;
  for (const fs::path& image : images) taken[*ids.of(image)] = image;
  try {
    for (const fs::path& other : dataset::list_images(dataset, "val")) {
      const auto id = ids.of(other);
      const auto same = id ? taken.find(*id) : taken.end();
      std::error_code ignored;
      if (same == taken.end() || fs::equivalent(same->second, other, ignored)) continue;
      return fmt::format("it may mean '{}' of val by what could be '{}'", other.string(),
                         same->second.string());
    }
  } catch (const Error& error) {
    return fmt::format("it may be of val alone, whose images cannot be listed: {}", error.what());
  }
  return "";
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
  if (file) return from_annotations(dataset, images, *file, coco::read_annotations(*file));

  file = dataset::find_named_annotations(dataset, options.split);
  if (!file) return from_labels(dataset, images, options);
  coco::Annotations of_val = coco::read_annotations(*file);
  const std::string why_not = why_of_val_alone(dataset, images, of_val);
  if (why_not.empty()) return from_annotations(dataset, images, *file, std::move(of_val));
  try {
    return from_labels(dataset, images, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw error.within(fmt::format("the annotations '{}' of the yaml are not used for '{}' ({})",
                                   file->string(), options.split, why_not));
  }
}

}  // namespace yoloq::pipeline
