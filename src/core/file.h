// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace yoloq {

/// The whole file.
///
/// @throws Error(not_found) if there is none, Error(io) if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Where a write to a path ends.
struct WriteTarget {
  std::filesystem::path path;  ///< Behind all symbolic links; what they lead to need not exist yet.
  bool straight = false;       ///< A device, a pipe, a socket: nothing to replace by renaming.
};

/// @throws Error(io) if links lead in a circle.
WriteTarget write_target(const std::filesystem::path& path);

/// Writes to a file without a name where the file system has such (a killed process then leaves
/// nothing behind), else beside `path` under a temporary name, syncs, then renames: a reader sees
/// the old file or the whole new one, also when the process is killed or the disk is full.
/// A symbolic link stays one: what it leads to is replaced. A device or a pipe is written to as it
/// is.
///
/// @throws Error(io) saying what the system said; `path` is then as it was before.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A file to be.
struct FileContent {
  std::filesystem::path path;
  std::string content;
};

/// As write_file() for files that belong together: none is renamed before all are written.
///
/// @throws Error(io) as write_file(); unless a rename failed, all are as they were before.
void write_files(std::span<const FileContent> files);

}  // namespace yoloq
