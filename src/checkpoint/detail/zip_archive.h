// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace yoloq::checkpoint {

/// A file in an archive. `content` is somebody else's memory.
struct ZipEntry {
  std::string name;
  std::span<const std::byte> content;
};

/// A zip archive of the entries in their order, uncompressed, each content at a multiple of 64
/// bytes so that it can be mapped into memory: as torch.save writes. Equal entries give equal
/// bytes.
///
/// @throws Error(io) with libzip's words.
std::string aligned_archive(std::span<const ZipEntry> entries);

}  // namespace yoloq::checkpoint
