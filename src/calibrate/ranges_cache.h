// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calibrate/ranges.h"

namespace yoloq::calibrate {

/// Everything that statistics depend on.
struct CacheInputs {
  std::string model;                                        ///< Hash of the float model that runs.
  std::string preprocessing;                                ///< Every setting of it, in words.
  std::vector<std::string> tensors;                         ///< Names of the observed tensors.
  std::vector<std::pair<std::string, std::string>> images;  ///< Name, hash of the file's bytes.
};

/// The content key: 32 hexadecimal digits of all inputs and of the format version. The order of
/// tensors and images does not matter; a change in any name or byte does.
std::string cache_key(CacheInputs inputs);

/// Where the statistics of a key are kept: "<folder>/<key>.ranges".
std::filesystem::path cache_path(const std::filesystem::path& folder, std::string_view key);

/// The statistics of a key, if they are there.
///
/// @throws Error(corrupt_file) naming the file, if it is broken or holds another key; the caller
/// decides whether to delete it. Error(io) if it cannot be read.
std::optional<Ranges> read_cached(const std::filesystem::path& folder, std::string_view key);

/// Keeps `ranges` under its provenance's key; makes the folder if needed. A reader never sees half
/// a file.
///
/// @throws Error(io) if it cannot be written, Error(bad_argument) if there is no key.
void write_cached(const std::filesystem::path& folder, const Ranges& ranges);

}  // namespace yoloq::calibrate
