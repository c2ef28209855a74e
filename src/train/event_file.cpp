// SPDX-License-Identifier: Apache-2.0
#include "train/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>

#include "core/error.h"
#include "train/detail/crc32c.h"

namespace yoloq::train {

namespace fs = std::filesystem;

namespace {

enum class WireType : std::uint8_t { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

/// Numbers of fields in event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr int kSummaryValue = 1, kTag = 1, kSimpleValue = 2;
constexpr int kSessionStatus = 1, kSessionStart = 1;

template <typename T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

/// One field of a message, in protobuf's wire format.
std::string field_of(int number, WireType type, const std::string& content) {
  return varint(static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(type)) +
         content;
}
std::string integer_field(int number, std::int64_t value) {
  return field_of(number, WireType::varint, varint(static_cast<std::uint64_t>(value)));
}
std::string bytes_field(int number, std::string_view bytes) {
  return field_of(number, WireType::bytes, varint(bytes.size()) + std::string(bytes));
}
std::string real64_field(int number, double value) {
  return field_of(number, WireType::eight_bytes,
                  little_endian(std::bit_cast<std::uint64_t>(value)));
}
std::string real32_field(int number, float value) {
  return field_of(number, WireType::four_bytes, little_endian(std::bit_cast<std::uint32_t>(value)));
}

/// The record format stores checksums so that one of a checksum is no fixed point.
std::uint32_t masked(std::uint32_t checksum) {
  return ((checksum >> 15) | (checksum << 17)) + 0xa282ead8u;
}

/// Length, its checksum, the message, its checksum.
std::string record_of(const std::string& message) {
  const std::string length = little_endian(static_cast<std::uint64_t>(message.size()));
  return length + little_endian(masked(detail::crc32c(length))) + message +
         little_endian(masked(detail::crc32c(message)));
}

double seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

fs::path new_name(const fs::path& folder) {
  static std::atomic<int> count{0};  // Of the process: two files of one second must differ.
  char host[256] = "localhost";
  ::gethostname(host, sizeof(host) - 1);
  return folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}",
                              static_cast<std::int64_t>(seconds_now()), host, ::getpid(),
                              count.fetch_add(1));
}

[[noreturn]] void refuse_event(const fs::path& path) {
  const std::error_code why(errno, std::generic_category());
  fail(ErrorCode::io, "cannot write {}: {}", path.string(), why.message());
}

}  // namespace

struct EventFile::State {
  fs::path path;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file;

  void write(const std::string& fields) {
    const std::string record = record_of(real64_field(kWallTime, seconds_now()) + fields);
    if (std::fwrite(record.data(), 1, record.size(), file.get()) != record.size() ||
        std::fflush(file.get()) != 0) {
      refuse_event(path);
    }
  }
};

EventFile::EventFile(const fs::path& folder, std::int64_t first_step) {
  const fs::path path = new_name(folder);
  state_ = std::make_unique<State>(State{path, {std::fopen(path.c_str(), "wb"), std::fclose}});
  if (!state_->file) refuse_event(path);
  state_->write(bytes_field(kFileVersion, "brain.Event:2"));
  if (first_step == 0) return;
  const std::string start = integer_field(kSessionStatus, kSessionStart);
  state_->write(integer_field(kStep, first_step) + bytes_field(kSessionLog, start));
}

EventFile::~EventFile() = default;
EventFile::EventFile(EventFile&&) noexcept = default;
EventFile& EventFile::operator=(EventFile&&) noexcept = default;

void EventFile::add_scalar(std::string_view tag, double value, std::int64_t step) {
  const std::string point =
      bytes_field(kTag, tag) + real32_field(kSimpleValue, static_cast<float>(value));
  const std::string summary = bytes_field(kSummaryValue, point);
  state_->write(integer_field(kStep, step) + bytes_field(kSummary, summary));
}

const fs::path& EventFile::path() const { return state_->path; }

}  // namespace yoloq::train
