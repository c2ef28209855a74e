// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace yoloq::coco::detail {

/// Bytes that can be read at any place from any thread: a text in memory or an open file.
class ByteSource {
 public:
  /// Reads from `text`, which must outlive the source.
  explicit ByteSource(std::string_view text) : text_(text), size_(text.size()) {}

  /// Opens a file. What is not a regular file (a pipe) is read at once.
  ///
  /// @throws Error(not_found) if there is none, Error(io) if it cannot be read.
  explicit ByteSource(const std::filesystem::path& path);

  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  std::size_t size() const { return size_; }

  /// Fills `out` with the bytes from `offset` on; all of them must lie within `size`.
  ///
  /// @throws Error(io) if the system refuses, or if the file has become shorter.
  void read(std::size_t offset, std::span<char> out) const;

 private:
  int descriptor_ = -1;
  std::string held_;
  std::string_view text_;
  std::size_t size_ = 0;
};

}  // namespace yoloq::coco::detail
