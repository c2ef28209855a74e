// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <bit>
#include <cmath>

namespace yoloq {

namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

/// The finalizer of SplitMix64: every bit of the input reaches every bit of the output.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) {
  std::uint64_t state = mixed(mixed(seed + kGolden) + stream);
  for (std::uint64_t& word : state_) word = mixed(state += kGolden);
}

std::uint64_t Random::bits() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

std::uint64_t Random::below(std::uint64_t n) {
  if (n < 2) return 0;
  const std::uint64_t uneven = -n % n;  // 2^64 modulo n: as many values would come once too often.
  for (;;) {
    const std::uint64_t value = bits();
    if (value >= uneven) return value % n;
  }
}

// Marsaglia's polar method: the second value that it could give is not kept, so that the state is
// all that a sequence depends on.
double Random::normal() {
  for (;;) {
    const double x = uniform(-1, 1);
    const double y = uniform(-1, 1);
    const double square = x * x + y * y;
    if (square < 1 && square > 0) return x * std::sqrt(-2 * std::log(square) / square);
  }
}

// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
double Random::gamma(double shape) {
  if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

double Random::beta(double a, double b) {
  const double x = gamma(a);
  return x / (x + gamma(b));
}

}  // namespace yoloq
