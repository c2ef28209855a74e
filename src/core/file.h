// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace yoloq {

/// The whole file.
///
/// @throws Error(not_found) if there is none, Error(io) if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes beside `path` under a temporary name, syncs, then renames: a reader sees the old file or
/// the whole new one, also when the process is killed or the disk is full.
///
/// @throws Error(io) saying what the system said; `path` is then as it was before.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace yoloq
