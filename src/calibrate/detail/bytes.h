// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace yoloq::calibrate::detail {

/// Builds a .ranges file: numbers as varints (7 bits a byte, lowest first), little-endian words.
class ByteWriter {
 public:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  void word(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(value >> shift));
  }
  void real(float value) { word(std::bit_cast<std::uint32_t>(value)); }
  void text(std::string_view value) {
    number(value.size());
    raw(value);
  }
  void raw(std::string_view value) { bytes_.append(value); }

  std::string_view bytes() const { return bytes_; }
  std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote; everything else throws Error(corrupt_file) with the place.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(raw(1)[0]);
      const std::uint64_t bits = byte & 0x7f;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if (byte >= 0x80) continue;
      if (bits == 0 && shift != 0) break;  // a shorter form exists, and is the one to write
      return value;
    }
    fail(ErrorCode::corrupt_file, "a number that ends at byte {} is malformed", place_);
  }
  /// How many items follow, of which each takes at least `bytes_each`.
  std::size_t count(std::size_t bytes_each) {
    const std::uint64_t value = number();
    if (value <= left() / bytes_each) return static_cast<std::size_t>(value);
    fail(ErrorCode::corrupt_file, "at byte {}: {} items announced, but only {} bytes are left",
         place_, value, left());
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    int shift = 0;
    for (const char byte : raw(4)) {
      value |= std::uint32_t{static_cast<std::uint8_t>(byte)} << shift;
      shift += 8;
    }
    return value;
  }
  float real() { return std::bit_cast<float>(word()); }
  std::string text() { return std::string(raw(count(1))); }
  std::string_view raw(std::size_t size) {
    if (size > left()) {
      fail(ErrorCode::corrupt_file, "ends at byte {}, in the middle of something", bytes_.size());
    }
    return bytes_.substr(std::exchange(place_, place_ + size), size);
  }
  std::size_t left() const { return bytes_.size() - place_; }

 private:
  std::string_view bytes_;
  std::size_t place_ = 0;
};

}  // namespace yoloq::calibrate::detail
