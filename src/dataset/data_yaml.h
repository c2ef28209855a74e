// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// @file
/// Data sets as YOLOv5 users have them: a yaml, images and labels.
///
///     data.yaml -> Dataset -> list_images -> paths -> vision
///                                         -> labels -> ground truth

namespace yoloq::dataset {

/// What a data yaml says, as it is written; resolve.h turns its paths into files.
struct Dataset {
  std::filesystem::path file;      ///< The yaml itself: relative paths may start at its folder.
  std::filesystem::path root;      ///< `path`; empty if it has none.
  std::vector<std::string> names;  ///< One per class.
  /// "train", "val", "test": folders, globs, list files.
  std::map<std::string, std::vector<std::string>, std::less<>> splits;
  std::string annotations;  ///< COCO ground truth of val; empty if it names none.
};

/// Reads a data yaml's text. Keys that yoloq does not know (`download`, ...) are left alone;
/// without `names` the classes are called class0, class1, ... as many as `nc` says.
///
/// @param file  where the text came from, for messages and relative paths.
/// @throws Error(corrupt_file) with file and line if it is no yaml or a key has the wrong form.
Dataset parse_data_yaml(std::string_view text, const std::filesystem::path& file);

/// parse_data_yaml() of a file.
///
/// @throws Error(not_found) if there is none.
Dataset read_data_yaml(const std::filesystem::path& file);

}  // namespace yoloq::dataset
