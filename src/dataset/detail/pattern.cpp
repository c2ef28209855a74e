// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <vector>

namespace yoloq::dataset::detail {

namespace fs = std::filesystem;

namespace {

bool is_pattern(const fs::path& part) {
  return part.native().find_first_of("*?[") != std::string::npos;
}

using Parts = std::vector<fs::path>;

/// The entries of a folder that a pattern may find: none that is hidden, none if it is unreadable.
std::vector<fs::directory_entry> visible_entries(const fs::path& folder) {
  std::vector<fs::directory_entry> visible;
  std::error_code code;
  fs::directory_iterator entries(folder.empty() ? "." : folder, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    if (!entries->path().filename().native().starts_with('.')) visible.push_back(*entries);
  }
  return visible;
}

/// Adds what matches parts[at...] below `folder`.
void match(const fs::path& folder, const Parts& parts, std::size_t at, Parts& found) {
  const fs::path& part = parts[at];
  const bool last = at + 1 == parts.size();
  std::error_code ignored;
  if (!is_pattern(part)) {
    const fs::path next = folder / part;
    if (!last && fs::exists(next, ignored)) match(next, parts, at + 1, found);
    if (last && fs::is_regular_file(next, ignored)) found.push_back(next);
    return;
  }
  const bool any_depth = part == "**";
  if (any_depth && !last) match(folder, parts, at + 1, found);  // ** stands for no folder, too.
  for (const fs::directory_entry& entry : visible_entries(folder)) {
    const fs::path name = entry.path().filename();
    if (!any_depth && ::fnmatch(part.c_str(), name.c_str(), 0) != 0) continue;
    const bool is_folder = entry.is_directory(ignored);
    if (!is_folder && last) found.push_back(folder / name);
    if (is_folder && any_depth) match(folder / name, parts, at, found);
    if (is_folder && !any_depth && !last) match(folder / name, parts, at + 1, found);
  }
}

}  // namespace

std::vector<fs::path> files_matching(const fs::path& pattern) {
  const fs::path relative = pattern.relative_path();
  const Parts parts(relative.begin(), relative.end());
  if (std::ranges::none_of(parts, is_pattern)) return {};
  Parts found;
  match(pattern.root_path(), parts, 0, found);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());  // By two ways through **.
  return found;
}

}  // namespace yoloq::dataset::detail
