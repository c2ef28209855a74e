// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/zip_archive.h"

#include <zip.h>

#include <cstdint>
#include <memory>

#include "core/error.h"

namespace yoloq::checkpoint {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLocalHeader = 30;         ///< Before name and extra fields.
constexpr std::size_t kExtraHeader = 4;          ///< Id and length of an extra field.
constexpr std::uint16_t kPaddingId = 0x4246;     ///< "FB": torch.save's.
constexpr std::uint16_t kFirstDay = 1 << 5 | 1;  ///< 1980-01-01 in a zip's words.

/// An archive that grows in memory.
class Growing {
 public:
  Growing() {
    zip_error_init(&error_);
    source_ = zip_source_buffer_create(nullptr, 0, 0, &error_);
    if (source_ != nullptr) zip_ = zip_open_from_source(source_, ZIP_TRUNCATE, &error_);
    if (zip_ == nullptr) {
      const std::string why = zip_error_strerror(&error_);
      if (source_ != nullptr) zip_source_free(source_);
      zip_error_fini(&error_);
      refuse(why);
    }
    zip_source_keep(source_);  // Closing the archive gives back one of two claims to it.
  }
  ~Growing() {
    if (zip_ != nullptr) zip_discard(zip_);
    zip_source_free(source_);
    zip_error_fini(&error_);
  }
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;

  void add(const ZipEntry& entry) {
    zip_source_t* content = zip_source_buffer(zip_, entry.content.data(), entry.content.size(), 0);
    const auto index = zip_file_add(zip_, entry.name.c_str(), content, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(content);
      refuse(zip_strerror(zip_));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    const std::string padding = pad(entry);
    const bool done =
        zip_set_file_compression(zip_, at, ZIP_CM_STORE, 0) == 0 &&
        zip_file_set_dostime(zip_, at, 0, kFirstDay, 0) == 0 &&
        zip_file_extra_field_set(zip_, at, kPaddingId, ZIP_EXTRA_FIELD_NEW,
                                 reinterpret_cast<const zip_uint8_t*>(padding.data()),
                                 static_cast<zip_uint16_t>(padding.size()), ZIP_FL_LOCAL) == 0;
    if (!done) refuse(zip_strerror(zip_));
  }

  std::string bytes() {
    if (zip_close(zip_) != 0) refuse(zip_strerror(zip_));
    zip_ = nullptr;
    zip_stat_t stat;
    if (zip_source_open(source_) != 0 || zip_source_stat(source_, &stat) != 0) {
      refuse(zip_error_strerror(zip_source_error(source_)));
    }
    std::string result(stat.size, '\0');
    const auto got = zip_source_read(source_, result.data(), result.size());
    zip_source_close(source_);
    if (got != static_cast<zip_int64_t>(result.size())) refuse("it cannot be read back");
    return result;
  }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    fail(ErrorCode::io, "cannot make a zip archive: {}", why);
  }

  /// What moves the entry's content to the next multiple.
  std::string pad(const ZipEntry& entry) {
    const std::size_t start = end_ + kLocalHeader + entry.name.size() + kExtraHeader;
    const std::size_t missing = (kAlignment - start % kAlignment) % kAlignment;
    end_ = start + missing + entry.content.size();
    return std::string(missing, 'Z');
  }

  zip_error_t error_;
  zip_source_t* source_ = nullptr;
  zip_t* zip_ = nullptr;
  std::size_t end_ = 0;
};

}  // namespace

std::string aligned_archive(std::span<const ZipEntry> entries) {
  Growing archive;
  for (const ZipEntry& entry : entries) archive.add(entry);
  return archive.bytes();
}

}  // namespace yoloq::checkpoint
