// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/data_yaml.h"

namespace yoloq::dataset {

/// A place where an entry of the yaml may lie.
struct Place {
  std::filesystem::path root;  ///< The folder that it is under; empty: of none that the yaml means.
  std::filesystem::path path;
};

/// Every place where an entry of the yaml may lie, the likeliest first.
///
/// An absolute entry is itself. A relative one is looked for under `path`, and `path`, where it is
/// relative, under the current folder and under ../datasets beside it (as Ultralytics does), then
/// under the folder of the yaml. `../images` is also tried as `images` (as Ultralytics does), and a
/// yaml without `path` as Ultralytics' older ones: from the current folder.
std::vector<Place> places(const Dataset& dataset, std::string_view entry);

/// The paths of places().
std::vector<std::filesystem::path> candidates(const Dataset& dataset, std::string_view entry);

/// The COCO annotations of a split: of "val" `annotations` of the yaml; of val without them and of
/// any other split annotations/instances_<name>.json, where <name> is that of the split's folder or
/// list ("val2017") or of the split itself; none if there is no such file.
///
/// They are looked for only under the roots where the split's images are, see image_roots(); where
/// there are none under `path` if that is absolute, else in the folder of the yaml.
///
/// @throws Error(not_found) if the yaml names a file for val that is not there, with every place
///     tried.
std::optional<std::filesystem::path> find_annotations(const Dataset& dataset,
                                                      std::string_view split);

/// The file that `annotations` of the yaml names: under these roots, else beside the yaml; none if
/// the yaml names none or it is not there.
std::optional<std::filesystem::path> find_named_annotations(const Dataset& dataset,
                                                            std::string_view split);

/// "  a\n  b": the places tried, for a message.
std::string listed(const std::vector<std::filesystem::path>& places);

}  // namespace yoloq::dataset
