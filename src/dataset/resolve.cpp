// SPDX-License-Identifier: Apache-2.0
#include "dataset/resolve.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "dataset/images.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kUp = "../";

/// The folder of the yaml.
fs::path folder_of(const Dataset& dataset) {
  return fs::current_path() / dataset.file.parent_path();
}

/// The folders that relative entries may be under: what `path` may mean, then that of the yaml.
std::vector<fs::path> roots(const Dataset& dataset) {
  if (dataset.root.is_absolute()) return {dataset.root, folder_of(dataset)};
  return {fs::current_path() / dataset.root, fs::current_path() / "../datasets" / dataset.root,
          folder_of(dataset) / dataset.root, folder_of(dataset)};
}

/// The innermost root that an absolute entry is under; empty if there is none.
fs::path root_around(const Dataset& dataset, const fs::path& entry) {
  fs::path innermost;
  for (const fs::path& root : roots(dataset)) {
    const fs::path below = entry.lexically_normal().lexically_relative(root.lexically_normal());
    const bool is_inside = !below.empty() && *below.begin() != "..";
    if (is_inside && root.native().size() > innermost.native().size()) innermost = root;
  }
  return innermost;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Where annotations may be: with the images, so that those of another data set, in the current
/// folder say, are not taken for them.
std::vector<fs::path> annotation_roots(const Dataset& dataset, std::string_view split) {
  std::vector<fs::path> found = image_roots(dataset, split);
  if (found.empty())
    found.push_back(dataset.root.is_absolute() ? dataset.root : folder_of(dataset));
  return found;
}

/// Where the file that the yaml names may be: the folder of the yaml serves, too.
std::vector<fs::path> named_places(const Dataset& dataset, std::string_view split) {
  std::vector<fs::path> found;
  std::vector<fs::path> folders = annotation_roots(dataset, split);
  folders.push_back(folder_of(dataset));
  for (const fs::path& folder : folders) {
    const fs::path place = (folder / dataset.annotations).lexically_normal();
    if (std::ranges::find(found, place) == found.end()) found.push_back(place);
  }
  return found;
}

}  // namespace

std::vector<Place> places(const Dataset& dataset, std::string_view entry) {
  if (fs::path(entry).is_absolute()) {
    return {{.root = root_around(dataset, entry), .path = fs::path(entry)}};
  }
  std::vector<Place> found;
  const auto add = [&](const fs::path& root, std::string_view below) {
    const fs::path normal = (root / below).lexically_normal();
    if (std::ranges::find(found, normal, &Place::path) == found.end()) {
      found.push_back({.root = root, .path = normal});
    }
  };
  for (const fs::path& root : roots(dataset)) {
    add(root, entry);
    if (entry.starts_with(kUp)) add(root, entry.substr(kUp.size()));
  }
  return found;
}

std::vector<fs::path> candidates(const Dataset& dataset, std::string_view entry) {
  std::vector<fs::path> paths;
  for (Place& place : places(dataset, entry)) paths.push_back(std::move(place.path));
  return paths;
}

std::optional<fs::path> find_named_annotations(const Dataset& dataset, std::string_view split) {
  if (dataset.annotations.empty()) return std::nullopt;
  for (fs::path& place : named_places(dataset, split)) {
    if (is_there(place)) return std::move(place);
  }
  return std::nullopt;
}

std::optional<fs::path> find_annotations(const Dataset& dataset, std::string_view split) {
  if (split == "val" && !dataset.annotations.empty()) {
    if (auto found = find_named_annotations(dataset, split)) return found;
    fail(ErrorCode::not_found, "the annotations of '{}' are in none of:\n{}", dataset.file.string(),
         listed(named_places(dataset, split)));
  }
  std::vector<std::string> names;
  if (const auto entries = dataset.splits.find(split); entries != dataset.splits.end()) {
    for (const std::string& entry : entries->second) {
      const fs::path path(entry.substr(0, entry.find_last_not_of('/') + 1));
      names.push_back(path.stem().string());
    }
  }
  names.emplace_back(split);
  const std::vector<fs::path> roots = annotation_roots(dataset, split);
  for (const std::string& name : names) {
    const fs::path file = fs::path("annotations") / fmt::format("instances_{}.json", name);
    for (const fs::path& root : roots) {
      if (is_there(root / file)) return (root / file).lexically_normal();
    }
  }
  return std::nullopt;
}

std::string listed(const std::vector<fs::path>& places) {
  std::string lines;
  for (const fs::path& place : places) {
    lines += (lines.empty() ? "  " : "\n  ") + place.string();
  }
  return lines;
}

}  // namespace yoloq::dataset
