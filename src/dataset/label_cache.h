// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/progress.h"
#include "dataset/label_index.h"

/// @file
/// The index of a list of images is kept in a file beside the labels' folder, so that the second
/// start need not read every image again. It is made anew when a path, size or time of any image or
/// label file differs, and when it is damaged: it never has to be removed by hand. A list that
/// becomes another leaves its file behind, as nobody knows whether the old one is used elsewhere.

namespace yoloq::dataset {

/// Where the index of a list of images is kept: labels/train2017.0a1b2c3d.yoloq-cache where the
/// first is images/train2017/1.jpg. The digits are a hash of the list, so that two lists over one
/// folder have a file each; a moved folder keeps its names.
///
/// @param images  at least one.
std::filesystem::path label_cache_path(std::span<const std::filesystem::path> images);

/// True if label_cache_path() gives `file` for some list whose first labels are in `labels`, or
/// gave it before lists were told apart: labels/train2017.yoloq-cache. Looks at the names alone.
bool is_label_cache_of(const std::filesystem::path& labels, const std::filesystem::path& file);

/// An index, and where it came from.
struct StoredIndex {
  LabelIndex index;
  bool from_cache = false;
  std::string notice = {};  ///< Why it could not be stored; empty if it was or need not be.
};

/// The index of label_cache_path(), else index_labels(), which is then stored there unless
///
/// - the folder may not be written to, or is marked read-only, which binds even root here: a
/// notice;
/// - a file changed in the last two seconds: it might change again within the same time stamp.
///
/// @throws as index_labels().
StoredIndex read_label_index(std::span<const std::filesystem::path> images, std::size_t class_count,
                             const Progress& progress = {});

/// The bytes of a cache file.
///
/// @param key  names what the index was made from, 32 characters.
std::string encode_label_cache(const LabelIndex& index, std::string_view key);

/// What encode_label_cache() was given; none if the bytes are for another key, or damaged in any
/// way. An index that it returns is consistent whatever the bytes are.
std::optional<LabelIndex> decode_label_cache(std::string_view bytes, std::string_view key);

}  // namespace yoloq::dataset
