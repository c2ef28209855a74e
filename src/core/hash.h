// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace yoloq {

/// XXH3-128 over a stream of fields: the content keys of caches and the provenance of results.
///
/// Each field is preceded by its length, so that {"ab", "c"} and {"a", "bc"} differ. Not for
/// secrets.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::string_view field);
  Hasher& add(std::span<const std::byte> field);

  /// 32 lower-case hexadecimal digits of what was added so far.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of one field.
std::string hash_of(std::string_view field);

}  // namespace yoloq
