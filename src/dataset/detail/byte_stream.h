// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace yoloq::dataset::detail {

/// Numbers and texts one after another, as this machine has them.
class ByteWriter {
 public:
  template <typename T>
  void add(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void add_text(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// The way back. Past the end it gives zeros and empty texts, and is no longer ok().
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T take() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (const std::string_view bytes = take_bytes(sizeof value); !bytes.empty()) {
      std::ranges::copy(std::as_bytes(std::span(bytes)),
                        std::as_writable_bytes(std::span(&value, 1)).begin());
    }
    return value;
  }

  std::string take_text() { return std::string(take_bytes(take<std::uint64_t>())); }

  /// A count of things that take at least so many bytes each; 0 if there cannot be as many.
  std::uint64_t take_count(std::size_t least_bytes) {
    const auto count = take<std::uint64_t>();
    if (count <= rest_.size() / least_bytes) return count;
    ok_ = false;
    return 0;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take_bytes(std::uint64_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace yoloq::dataset::detail
