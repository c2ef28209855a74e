// SPDX-License-Identifier: Apache-2.0
#include "dataset/resolve.h"

#include <algorithm>

#include "core/error.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kUp = "../";

/// The folder of the yaml.
fs::path folder_of(const Dataset& dataset) {
  return fs::current_path() / dataset.file.parent_path();
}

/// The folders that `path` may mean.
std::vector<fs::path> roots(const Dataset& dataset) {
  if (dataset.root.is_absolute()) return {dataset.root};
  return {fs::current_path() / dataset.root, fs::current_path() / "../datasets" / dataset.root,
          folder_of(dataset) / dataset.root};
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

std::vector<fs::path> candidates(const Dataset& dataset, std::string_view entry) {
  if (fs::path(entry).is_absolute()) return {fs::path(entry)};
  std::vector<fs::path> places;
  const auto add = [&](const fs::path& place) {
    const fs::path normal = place.lexically_normal();
    if (std::ranges::find(places, normal) == places.end()) places.push_back(normal);
  };
  for (const fs::path& root : roots(dataset)) {
    add(root / entry);
    if (entry.starts_with(kUp)) add(root / entry.substr(kUp.size()));
  }
  add(folder_of(dataset) / entry);
  return places;
}

std::optional<fs::path> resolve(const Dataset& dataset, std::string_view entry) {
  for (fs::path& place : candidates(dataset, entry)) {
    if (is_there(place)) return std::move(place);
  }
  return std::nullopt;
}

std::optional<fs::path> find_annotations(const Dataset& dataset, std::string_view split) {
  if (split == "val" && !dataset.annotations.empty()) {
    if (auto found = resolve(dataset, dataset.annotations)) return found;
    fail(ErrorCode::not_found, "the annotations of '{}' are in none of:\n{}", dataset.file.string(),
         listed(candidates(dataset, dataset.annotations)));
  }
  std::vector<std::string> names;
  if (const auto entries = dataset.splits.find(split); entries != dataset.splits.end()) {
    for (const std::string& entry : entries->second) {
      const fs::path path(entry.substr(0, entry.find_last_not_of('/') + 1));
      names.push_back(path.stem().string());
    }
  }
  names.emplace_back(split);
  for (const std::string& name : names) {
    if (auto found = resolve(dataset, "annotations/instances_" + name + ".json")) return found;
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
