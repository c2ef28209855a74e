// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <cassert>
#include <cmath>
#include <numbers>

namespace yoloq {

namespace {

constexpr int kRounds = 10;
constexpr std::uint64_t kMultiplierA = 0xD2511F53;
constexpr std::uint64_t kMultiplierB = 0xCD9E8D57;
constexpr std::uint32_t kWeylLow = 0x9E3779B9;            // Golden ratio.
constexpr std::uint32_t kWeylHigh = 0xBB67AE85;           // sqrt(3) - 1.
constexpr std::uint64_t kStreamKey = 0x5DEECE66D1CE4E5B;  // Keys of streams never meet draws.

std::uint32_t low_half(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high_half(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

std::array<std::uint32_t, 4> counter_of(std::uint64_t position, std::uint64_t stream) {
  return {low_half(position), high_half(position), low_half(stream), high_half(stream)};
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  std::uint32_t low = low_half(key);
  std::uint32_t high = high_half(key);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = kMultiplierA * counter[0];
    const std::uint64_t b = kMultiplierB * counter[2];
    counter = {high_half(b) ^ counter[1] ^ low, low_half(b), high_half(a) ^ counter[3] ^ high,
               low_half(a)};
    low += kWeylLow;
    high += kWeylHigh;
  }
  return counter;
}

Random::Random(std::uint64_t seed, std::uint64_t stream) : Random(Random(seed).stream(stream)) {}

Random Random::stream(std::uint64_t id) const {
  const auto mixed = philox(counter_of(id, stream_), key_ ^ kStreamKey);
  Random result(mixed[0] | std::uint64_t{mixed[1]} << 32);
  result.stream_ = mixed[2] | std::uint64_t{mixed[3]} << 32;
  return result;
}

std::uint32_t Random::bits() {
  if (used_ == block_.size()) {
    block_ = philox(counter_of(position_++, stream_), key_);
    used_ = 0;
  }
  return block_[used_++];
}

float Random::uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }

float Random::uniform(float low, float high) {
  const double width = double{high} - double{low};
  return static_cast<float>(low + width * double{uniform()});
}

/// Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log((bits() + 0.5) * 0x1p-32));
  return radius * std::cos(2.0 * std::numbers::pi * bits() * 0x1p-32);
}

/// Source: Lemire, "Fast random integer generation in an interval", 2019.
std::int64_t Random::integer(std::int64_t low, std::int64_t high) {
  assert(low <= high && high - low < std::int64_t{0xFFFFFFFF});
  const auto count = static_cast<std::uint32_t>(high - low + 1);
  const std::uint32_t surplus =
      (0u - count) % count;  // 2^32 mod count: draws that would be unfair.
  std::uint64_t product = std::uint64_t{bits()} * count;
  while (low_half(product) < surplus) product = std::uint64_t{bits()} * count;
  return low + static_cast<std::int64_t>(high_half(product));
}

std::size_t Random::below(std::size_t n) {
  return static_cast<std::size_t>(integer(0, static_cast<std::int64_t>(n) - 1));
}

/// Source: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
double Random::gamma(double shape) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = (bits() + 0.5) * 0x1p-32;
    if (std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

double Random::beta(double a, double b) {
  assert(a >= 1 && b >= 1);
  const double x = gamma(a);
  return x / (x + gamma(b));
}

bool Random::chance(double probability) { return bits() * 0x1p-32 < probability; }

}  // namespace yoloq
