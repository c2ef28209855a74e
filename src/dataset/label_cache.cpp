// SPDX-License-Identifier: Apache-2.0
#include "dataset/label_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "dataset/detail/byte_stream.h"
#include "dataset/labels.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kCacheStart = "yoloq label cache 1\n";
constexpr std::string_view kExtension = ".yoloq-cache";
constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kListDigits = 8;  // Of a hash that tells apart the few lists over a folder.
constexpr std::int64_t kYoungNs = 2'000'000'000;

/// What a file looks like from outside.
struct Stamp {
  std::int64_t bytes = -1;  ///< -1: there is none.
  std::int64_t changed_ns = 0;
};

Stamp stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {.bytes = info.st_size,
          .changed_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

/// What an index is made from.
struct Origin {
  std::string key;
  std::int64_t newest_ns = 0;
};

Origin origin_of(std::span<const fs::path> images, std::size_t class_count) {
  Hasher hasher;
  hasher.add(std::to_string(class_count));
  Origin origin;
  for (const fs::path& image : images) {
    for (const fs::path& file : {image, label_path(image)}) {
      const Stamp stamp = stamp_of(file);
      hasher.add(file.native()).add(fmt::format("{} {}", stamp.bytes, stamp.changed_ns));
      origin.newest_ns = std::max(origin.newest_ns, stamp.changed_ns);
    }
  }
  origin.key = hasher.hex();
  return origin;
}

/// Names a list of images, wherever the folder of the first one is.
std::string list_hash(std::span<const fs::path> images) {
  const std::string folder = images.front().parent_path().string();
  Hasher hasher;
  for (const fs::path& image : images) {
    std::string_view name = image.native();
    if (name.starts_with(folder)) name.remove_prefix(folder.size());
    hasher.add(name);
  }
  return hasher.hex().substr(0, kListDigits);
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_marked_read_only(const fs::path& folder) {
  struct stat info {};
  return ::stat(folder.c_str(), &info) == 0 && (info.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;
}

/// Writes the cache; returns why it could not.
std::string store(const fs::path& file, const std::string& bytes) {
  const char* const what = "labels are read again at each start";
  if (is_marked_read_only(file.parent_path())) {
    return fmt::format("{}: '{}' is marked read-only", what, file.parent_path().string());
  }
  try {
    write_file(file, bytes);
    return {};
  } catch (const Error& error) {
    return fmt::format("{}: {}", what, error.what());
  }
}

std::optional<LabelIndex> cached_index(const fs::path& file, const std::string& key) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  try {
    return decode_label_cache(read_file(file), key);
  } catch (const Error&) {  // Unreadable: made anew, and storing it says what is wrong.
    return std::nullopt;
  }
}

std::string encode_body(const LabelIndex& index) {
  detail::ByteWriter writer;
  writer.add(std::uint64_t{index.images.size()});
  for (std::size_t i = 0; i < index.images.size(); ++i) {
    writer.add_text(index.images[i].native());
    writer.add(std::int32_t{index.sizes[i].width});
    writer.add(std::int32_t{index.sizes[i].height});
    writer.add(std::uint64_t{index.ends[i]});
  }
  writer.add(std::uint64_t{index.labels.size()});
  for (const TrainingLabel& label : index.labels) {
    writer.add(std::int32_t{label.class_index});
    for (const float value : {label.x, label.y, label.width, label.height}) writer.add(value);
  }
  writer.add(std::uint64_t{index.bad.size()});
  for (const BadImage& bad : index.bad) {
    writer.add_text(bad.path.native());
    writer.add_text(bad.why);
  }
  writer.add(std::uint64_t{index.unlabelled});
  return writer.bytes();
}

LabelIndex decode_body(detail::ByteReader& reader) {
  constexpr std::size_t kImageBytes = 24;
  constexpr std::size_t kLabelBytes = 20;
  constexpr std::size_t kBadBytes = 16;
  LabelIndex index;
  for (std::uint64_t left = reader.take_count(kImageBytes); left > 0; --left) {
    index.images.emplace_back(reader.take_text());
    const auto width = reader.take<std::int32_t>();
    index.sizes.push_back({.width = width, .height = reader.take<std::int32_t>()});
    index.ends.push_back(reader.take<std::uint64_t>());
  }
  index.labels.resize(reader.take_count(kLabelBytes));
  for (TrainingLabel& label : index.labels) {
    label.class_index = reader.take<std::int32_t>();
    for (float* value : {&label.x, &label.y, &label.width, &label.height}) {
      *value = reader.take<float>();
    }
  }
  for (std::uint64_t left = reader.take_count(kBadBytes); left > 0; --left) {
    fs::path path = reader.take_text();
    index.bad.push_back({.path = std::move(path), .why = reader.take_text()});
  }
  index.unlabelled = reader.take<std::uint64_t>();
  return index;
}

/// True if the parts fit each other.
bool is_consistent(const LabelIndex& index) {
  std::size_t begin = 0;
  for (const std::size_t end : index.ends) {
    if (end < begin || end > index.labels.size()) return false;
    begin = end;
  }
  return begin == index.labels.size();
}

}  // namespace

fs::path label_cache_path(std::span<const fs::path> images) {
  const fs::path label = fs::absolute(label_path(images.front())).lexically_normal();
  return fmt::format("{}.{}{}", label.parent_path().string(), list_hash(images), kExtension);
}

bool is_label_cache_of(const fs::path& labels, const fs::path& file) {
  std::string_view rest = file.native();
  if (!rest.starts_with(labels.native()) || !rest.ends_with(kExtension)) return false;
  rest.remove_suffix(kExtension.size());
  if (rest.size() < labels.native().size()) return false;
  rest.remove_prefix(labels.native().size());
  if (rest.empty()) return true;
  return rest.size() == 1 + kListDigits && rest.front() == '.' &&
         rest.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

StoredIndex read_label_index(std::span<const fs::path> images, std::size_t class_count,
                             const Progress& progress) {
  if (images.empty()) return {.index = index_labels(images, class_count, progress)};
  const fs::path file = label_cache_path(images);
  const Origin origin = origin_of(images, class_count);
  if (auto cached = cached_index(file, origin.key)) {
    return {.index = std::move(*cached), .from_cache = true};
  }
  StoredIndex made{.index = index_labels(images, class_count, progress)};
  const bool may_change_yet = origin.newest_ns + kYoungNs > now_ns();
  if (!may_change_yet) made.notice = store(file, encode_label_cache(made.index, origin.key));
  return made;
}

std::string encode_label_cache(const LabelIndex& index, std::string_view key) {
  const std::string body = encode_body(index);
  return std::string(kCacheStart) + std::string(key) + hash_of(body) + body;
}

std::optional<LabelIndex> decode_label_cache(std::string_view bytes, std::string_view key) {
  const std::string start = std::string(kCacheStart) + std::string(key);
  if (!bytes.starts_with(start)) return std::nullopt;
  bytes.remove_prefix(start.size());
  if (bytes.size() < kHashDigits) return std::nullopt;
  const std::string_view body = bytes.substr(kHashDigits);
  if (hash_of(body) != bytes.substr(0, kHashDigits)) return std::nullopt;
  detail::ByteReader reader(body);
  LabelIndex index = decode_body(reader);
  if (!reader.ok() || !reader.at_end() || !is_consistent(index)) return std::nullopt;
  return index;
}

}  // namespace yoloq::dataset
