// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ground_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <compare>
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

/// "a/b/c.jpg" as parts.
std::vector<fs::path> parts_of(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return {normal.begin(), normal.end()};
}

/// How well a file name of the annotations fits an image; more is better.
struct Fit {
  std::size_t parts = 0;  ///< From the file's name backwards, that are the same.
  bool whole = false;     ///< They are all that the annotations say.

  friend auto operator<=>(const Fit&, const Fit&) = default;
};

Fit fit_of(std::span<const fs::path> image, std::span<const fs::path> entry) {
  const auto [end, entry_end] =
      std::mismatch(image.rbegin(), image.rend(), entry.rbegin(), entry.rend());
  return {.parts = static_cast<std::size_t>(end - image.rbegin()),
          .whole = entry_end == entry.rend()};
}

/// Finds images among those of an annotation file: the annotated image whose file name, which may
/// have folders, shares most of the end of an image's path; else, of those without a file name, the
/// one whose id is the number that the file is called.
class ImageIds {
 public:
  explicit ImageIds(const coco::Annotations& annotations) {
    for (const coco::Image& image : annotations.images) {
      if (image.file_name.empty()) {
        nameless_.insert(image.id);
        continue;
      }
      std::vector<fs::path> parts = parts_of(image.file_name);
      const std::string name = parts.back().string();
      named_[name].push_back({image.id, image.file_name, std::move(parts)});
    }
  }

  struct Entry {
    std::int64_t id = 0;
    std::string file_name;
    std::vector<fs::path> parts;
  };

  /// The annotated image that an image is.
  struct Match {
    std::int64_t id = 0;
    const Entry* in_other_folder = nullptr;  ///< Its name, where folders in it are others.
  };

  /// @throws Error(bad_argument) if several annotated images fit equally well.
  std::optional<Match> of(const fs::path& image) const {
    const auto named = named_.find(image.filename().string());
    if (named != named_.end()) return best_of(named->second, image);
    const auto number = dataset::numeric_id(image);
    if (!number || !nameless_.contains(*number)) return std::nullopt;
    return Match{.id = *number};
  }

 private:
  static Match best_of(std::span<const Entry> entries, const fs::path& image) {
    const std::vector<fs::path> parts = parts_of(fs::absolute(image));
    const Entry* best = nullptr;
    const Entry* equal = nullptr;
    Fit best_fit;
    for (const Entry& entry : entries) {
      const Fit fit = fit_of(parts, entry.parts);
      if (fit > best_fit) {
        best = &entry;
        best_fit = fit;
        equal = nullptr;
      } else if (fit == best_fit && entry.id != best->id) {
        equal = &entry;
      }
    }
    if (equal == nullptr) return {best->id, best_fit.whole ? nullptr : best};
    fail(ErrorCode::bad_argument,
         "image '{}' may be '{}' (id {}) or '{}' (id {}) of the annotations: folders in their "
         "file_name tell such images apart",
         image.string(), best->file_name, best->id, equal->file_name, equal->id);
  }

  std::map<std::string, std::vector<Entry>> named_;  ///< By the name without folders.
  std::set<std::int64_t> nameless_;
};

/// An image of the list that the annotations do not have; none if they have all.
std::optional<fs::path> stranger_among(std::span<const fs::path> images, const ImageIds& ids) {
  const auto found =
      std::ranges::find_if(images, [&](const fs::path& image) { return !ids.of(image); });
  return found == images.end() ? std::nullopt : std::optional(*found);
}

/// The image of each id.
///
/// @throws Error(bad_argument) if two images have one.
std::map<std::int64_t, fs::path> images_by_id(std::span<const fs::path> images,
                                              std::span<const std::int64_t> ids) {
  std::map<std::int64_t, fs::path> by_id;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto [known, is_new] = by_id.emplace(ids[i], images[i]);
    if (is_new) continue;
    fail(ErrorCode::bad_argument,
         "images '{}' and '{}' are both image {} of the annotations: is one of them not annotated?",
         known->second.string(), images[i].string(), ids[i]);
  }
  return by_id;
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
  std::string elsewhere;
  for (const fs::path& image : images) {
    const ImageIds::Match match = *ids.of(image);
    truth.image_ids.push_back(match.id);
    if (match.in_other_folder == nullptr || !elsewhere.empty()) continue;
    elsewhere = fmt::format("'{}' is taken for '{}' of the annotations, in another folder",
                            image.string(), match.in_other_folder->file_name);
  }
  images_by_id(images, truth.image_ids);
  if (!elsewhere.empty()) truth.notices.push_back(std::move(elsewhere));
  CategoryMatch categories = match_categories(dataset.names, truth.annotations.categories);
  truth.category_ids = std::move(categories.ids);
  if (!categories.notice.empty()) truth.notices.push_back(std::move(categories.notice));
  return truth;
}

/// Why annotations of val are not those of other images as well; empty if they are. Splits may have
/// files of the same names: then nothing says which of the two is annotated.
std::string why_of_val_alone(const dataset::Dataset& dataset, std::span<const fs::path> images,
                             const coco::Annotations& annotations) {
  const ImageIds ids(annotations);
  std::map<std::int64_t, fs::path> taken;
  try {
    if (const auto stranger = stranger_among(images, ids)) {
      return fmt::format("it does not list '{}'", stranger->string());
    }
    std::vector<std::int64_t> found;
    for (const fs::path& image : images) found.push_back(ids.of(image)->id);
    taken = images_by_id(images, found);
  } catch (const Error& error) {
    return error.what();
  }
  if (!dataset.splits.contains("val")) return "";
  try {
    for (const fs::path& other : dataset::list_images(dataset, "val")) {
      const auto match = ids.of(other);
      const auto same = match ? taken.find(match->id) : taken.end();
      std::error_code ignored;
      if (same == taken.end() || fs::equivalent(same->second, other, ignored)) continue;
      return fmt::format("it may mean '{}' of val by what could be '{}'", other.string(),
                         same->second.string());
    }
  } catch (const Error& error) {
    return fmt::format("it may be of val alone, whose images cannot be told: {}", error.what());
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

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_number_alone(const std::string& name, std::size_t index) {
  return name == std::to_string(index) || name == fmt::format("class{}", index);
}

/// Categories by name; those that differ from it in case alone come second.
class CategoryNames {
 public:
  explicit CategoryNames(std::span<const coco::Category> categories) {
    for (const coco::Category& category : categories) {
      exact_[category.name] = category.id;
      in_any_case_[lower_case(category.name)].push_back(category.id);
    }
  }

  std::optional<std::int64_t> find(const std::string& name) const {
    if (const auto found = exact_.find(name); found != exact_.end()) return found->second;
    const auto found = in_any_case_.find(lower_case(name));
    if (found == in_any_case_.end() || found->second.size() != 1) return std::nullopt;
    return found->second.front();
  }

 private:
  std::map<std::string, std::int64_t> exact_;
  std::map<std::string, std::vector<std::int64_t>> in_any_case_;
};

}  // namespace

CategoryMatch match_categories(std::span<const std::string> class_names,
                               std::span<const coco::Category> categories) {
  const CategoryNames names(categories);
  CategoryMatch by_name;
  std::string stranger;
  for (const std::string& name : class_names) {
    const auto id = names.find(name);
    const bool is_new = id && std::ranges::find(by_name.ids, *id) == by_name.ids.end();
    if (is_new) {
      by_name.ids.push_back(*id);
    } else if (stranger.empty()) {
      stranger = name;
    }
  }
  if (by_name.ids.size() == class_names.size()) return by_name;

  CategoryMatch in_order;
  for (const coco::Category& category : categories) in_order.ids.push_back(category.id);
  std::ranges::sort(in_order.ids);
  if (in_order.ids.size() == class_names.size()) {
    in_order.notice = fmt::format(
        "no category of the annotations is called '{}': classes meet categories in the order of "
        "their ids, whatever they are called",
        stranger);
    return in_order;
  }
  fail(ErrorCode::bad_argument,
       "{} classes do not fit the {} categories of the annotations, neither by name nor by number",
       class_names.size(), categories.size());
}

std::optional<std::string> name_difference(std::span<const std::string> model_names,
                                           std::span<const std::string> class_names) {
  for (std::size_t i = 0; i < std::min(model_names.size(), class_names.size()); ++i) {
    if (lower_case(model_names[i]) == lower_case(class_names[i])) continue;
    if (is_number_alone(model_names[i], i) || is_number_alone(class_names[i], i)) continue;
    return fmt::format(
        "class {} is '{}' in the model and '{}' in the data yaml: AP takes them for the same", i,
        model_names[i], class_names[i]);
  }
  return std::nullopt;
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
