// SPDX-License-Identifier: Apache-2.0
#include "dataset/images.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <deque>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "dataset/detail/pattern.h"
#include "dataset/resolve.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> kExtensions{".bmp", ".jpeg", ".jpg", ".png",
                                                      ".tif", ".tiff", ".webp"};
constexpr std::string_view kKnown = ".bmp .jpeg .jpg .png .tif .tiff .webp";
constexpr std::string_view kSpace = " \t\r";

/// What a folder holds, without what is hidden: `._x.jpg` of macOS is no image.
struct Entries {
  ImageList images;
  std::vector<fs::path> folders;
  std::vector<fs::path> links;  ///< To folders, by their names.
};

Entries entries_of(const fs::path& folder) {
  Entries found;
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    const fs::path& path = entries->path();
    if (path.filename().native().starts_with('.')) continue;
    std::error_code ignored;  // A link that leads nowhere is no folder.
    if (entries->is_directory(ignored)) {
      (entries->is_symlink(ignored) ? found.links : found.folders).push_back(path);
    } else if (is_image_name(path)) {
      found.images.push_back(path);
    }
  }
  if (code) fail(ErrorCode::io, "cannot list '{}': {}", folder.string(), code.message());
  std::ranges::sort(found.links);
  return found;
}

/// Each folder is visited once, by its own name where it has one below `top`, so links come last:
/// they may lead back.
ImageList images_below(const fs::path& top) {
  ImageList images;
  std::vector<fs::path> folders{top};
  std::deque<fs::path> links;
  std::set<fs::path> visited;
  while (!folders.empty() || !links.empty()) {
    if (folders.empty()) {
      folders.push_back(std::move(links.front()));
      links.pop_front();
    }
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    std::error_code ignored;
    if (!visited.insert(fs::canonical(folder, ignored)).second) continue;
    const Entries found = entries_of(folder);
    images.insert(images.end(), found.images.begin(), found.images.end());
    folders.insert(folders.end(), found.folders.begin(), found.folders.end());
    links.insert(links.end(), found.links.begin(), found.links.end());
  }
  return images;
}

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

fs::path from_list(const fs::path& list, std::string_view line) {
  fs::path written(line);
  if (written.is_absolute()) return written;
  fs::path beside = (list.parent_path() / written).lexically_normal();
  if (line.starts_with("./")) return beside;
  std::error_code ignored;
  return fs::exists(written, ignored) ? written : beside;
}

ImageList images_listed_in(const fs::path& list) {
  ImageList images;
  std::istringstream lines(read_file(list));
  std::string text;
  for (std::size_t number = 1; std::getline(lines, text); ++number) {
    const std::string_view line = trimmed(text);
    if (line.empty()) continue;
    images.push_back(from_list(list, line));
    if (is_image_name(images.back())) continue;
    fail(ErrorCode::corrupt_file, "{}:{}: '{}' is no image file; known extensions: {}",
         list.string(), number, line.substr(0, 200), kKnown);
  }
  return images;
}

/// Images of a source, unsorted; empty if it is not there.
ImageList gather(const fs::path& source) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) return images_below(source);
  if (fs::exists(source, ignored)) {
    if (source.extension() == ".txt") return images_listed_in(source);
    if (is_image_name(source)) return {source};
    fail(ErrorCode::bad_argument, "'{}' is neither a folder, a .txt list nor an image; known: {}",
         source.string(), kKnown);
  }
  ImageList images = detail::files_matching(source);
  std::erase_if(images, [](const fs::path& path) { return !is_image_name(path); });
  return images;
}

/// Images of an entry of the yaml, and the root they are under.
struct Gathered {
  fs::path root;
  ImageList images;
};

/// From the first place that has images; empty if none has.
Gathered gather(const Dataset& dataset, std::string_view entry) {
  for (Place& place : places(dataset, entry)) {
    ImageList images = gather(place.path);
    if (!images.empty()) return {.root = std::move(place.root), .images = std::move(images)};
  }
  return {};
}

/// What was found, in order.
ImageList checked(ImageList images, std::string_view source) {
  std::ranges::sort(images, {},
                    [](const fs::path& path) -> const std::string& { return path.native(); });
  const auto twice = std::ranges::adjacent_find(images);
  if (twice != images.end()) {
    fail(ErrorCode::bad_argument, "image '{}' comes twice in {}; name it once", twice->string(),
         source);
  }
  return images;
}

[[noreturn]] void fail_not_found(std::string_view source, const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    std::error_code ignored;
    if (!fs::exists(place, ignored)) continue;
    fail(ErrorCode::not_found, "{}: no images in '{}'; known extensions: {}", source,
         place.string(), kKnown);
  }
  fail(ErrorCode::not_found, "{}: nothing there; tried:\n{}", source, listed(places));
}

}  // namespace

ImageList list_images(const Dataset& dataset, std::string_view split) {
  const std::string source = fmt::format("'{}:' of '{}'", split, dataset.file.string());
  const auto entries = dataset.splits.find(split);
  if (entries == dataset.splits.end() || entries->second.empty()) {
    fail(ErrorCode::not_found, "'{}' has no '{}:'; add it with a folder or a list of images",
         dataset.file.string(), split);
  }
  ImageList all;
  for (const std::string& entry : entries->second) {
    const Gathered found = gather(dataset, entry);
    if (found.images.empty()) fail_not_found(source, candidates(dataset, entry));
    all.insert(all.end(), found.images.begin(), found.images.end());
  }
  return checked(std::move(all), source);
}

std::vector<fs::path> image_roots(const Dataset& dataset, std::string_view split) {
  std::vector<fs::path> roots;
  const auto entries = dataset.splits.find(split);
  if (entries == dataset.splits.end()) return roots;
  for (const std::string& entry : entries->second) {
    const fs::path root = gather(dataset, entry).root;
    if (!root.empty() && std::ranges::find(roots, root) == roots.end()) roots.push_back(root);
  }
  return roots;
}

ImageList list_images(const fs::path& source) {
  ImageList images = gather(source);
  if (images.empty()) fail_not_found(fmt::format("'{}'", source.string()), {source});
  return checked(std::move(images), fmt::format("'{}'", source.string()));
}

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

std::optional<std::int64_t> numeric_id(const fs::path& image) {
  const std::string stem = image.stem().string();
  std::int64_t id = 0;
  const char* const end = stem.data() + stem.size();
  if (stem.empty() || !std::isdigit(static_cast<unsigned char>(stem.front()))) return std::nullopt;
  const auto [stop, code] = std::from_chars(stem.data(), end, id);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return id;
}

}  // namespace yoloq::dataset
