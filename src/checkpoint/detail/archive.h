// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace yoloq::checkpoint {

/// The zip archive that torch.save writes: data.pkl and one entry per storage, in one folder.
class Archive {
 public:
  /// @param bytes  the whole file; kept.
  /// @throws Error(corrupt_file) for a damaged archive, Error(unsupported) for another kind of
  /// file,
  ///         saying which kind it looks like.
  explicit Archive(std::string bytes);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  /// True if the archive's folder holds `name`, e.g. "data.pkl", "data/17".
  bool contains(std::string_view name) const;

  /// The content of an entry of the archive's folder.
  ///
  /// @throws Error(corrupt_file) if it is missing or damaged, or if the entries that were read grow
  ///         beyond what an archive of this size may hold.
  std::string read(std::string_view name);

 private:
  struct Handle;

  std::string bytes_;
  std::unique_ptr<Handle> handle_;
  std::map<std::string, std::uint64_t, std::less<>> entries_;
  std::string folder_;  ///< With its slash.
  std::uint64_t budget_ = 0;
};

}  // namespace yoloq::checkpoint
