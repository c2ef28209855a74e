// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstdint>
#include <new>

namespace yoloq {

struct Hasher::State {
  XXH3_state_t* stream = XXH3_createState();
  State() {
    if (stream == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(stream); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

Hasher& Hasher::add(std::string_view field) {
  const std::uint64_t size = field.size();
  XXH3_128bits_update(state_->stream, &size, sizeof size);
  XXH3_128bits_update(state_->stream, field.data(), field.size());
  return *this;
}

Hasher& Hasher::add(std::span<const std::byte> field) {
  return add(std::string_view(reinterpret_cast<const char*>(field.data()), field.size()));
}

std::string Hasher::hex() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_->stream);
  return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

std::string hash_of(std::string_view field) { return Hasher().add(field).hex(); }

}  // namespace yoloq
