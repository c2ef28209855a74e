// SPDX-License-Identifier: Apache-2.0
#include "calibrate/ranges_cache.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace yoloq::calibrate {

std::string cache_key(CacheInputs inputs) {
  std::ranges::sort(inputs.tensors);
  std::ranges::sort(inputs.images);
  Hasher hasher;
  hasher.add("yoloq-ranges").add(std::to_string(kRangesFormatVersion));
  hasher.add(inputs.model).add(inputs.preprocessing);
  hasher.add(std::to_string(inputs.tensors.size()));
  for (const std::string& tensor : inputs.tensors) hasher.add(tensor);
  for (const auto& [name, content] : inputs.images) hasher.add(name).add(content);
  return hasher.hex();
}

std::filesystem::path cache_path(const std::filesystem::path& folder, std::string_view key) {
  return folder / (std::string(key) + ".ranges");
}

std::optional<Ranges> read_cached(const std::filesystem::path& folder, std::string_view key) {
  const std::filesystem::path path = cache_path(folder, key);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  Ranges ranges;
  try {
    ranges = parse_ranges(read_file(path));
  } catch (const Error& error) {
    throw error.within("while reading '" + path.string() + "'");
  }
  if (ranges.provenance.key == key) return ranges;
  fail(ErrorCode::corrupt_file,
       "'{}' holds the statistics of key '{}', expected '{}': delete it and calibrate again",
       path.string(), ranges.provenance.key, key);
}

void write_cached(const std::filesystem::path& folder, const Ranges& ranges) {
  if (ranges.provenance.key.empty()) {
    fail(ErrorCode::bad_argument, "statistics without a content key cannot be cached");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fail(ErrorCode::io, "cannot make the folder '{}': {}", folder.string(), error.message());
  }
  write_file(cache_path(folder, ranges.provenance.key), serialize(ranges));
}

}  // namespace yoloq::calibrate
