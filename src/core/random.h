// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace yoloq {

/// Random numbers that are a function of (seed, stream, position): the same on every platform, for
/// any number of threads and whatever other streams have drawn.
///
/// Give each piece of work its own stream (the number of an image, a hash of a tensor's name) and
/// it no longer matters in which order or on which thread the pieces run:
///
///     Random random = Random(seed).stream(epoch).stream(image);
///
/// Source: Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
class Random {
 public:
  explicit Random(std::uint64_t seed) : key_(seed) {}

  /// Random(seed).stream(stream).
  Random(std::uint64_t seed, std::uint64_t stream);

  /// The stream `id` of this one. It depends on seed and ids alone, not on what was drawn here.
  Random stream(std::uint64_t id) const;

  /// 32 random bits.
  std::uint32_t bits();

  /// One of 2^24 values in [0, 1), evenly spaced.
  float uniform();

  /// In [low, high]; `high` itself only by rounding.
  float uniform(float low, float high);

  /// Standard normal. Unlike the others it may differ in its last bits between math libraries.
  double normal();

  /// A whole number from `low` to `high`, both included, all equally likely. At most 2^32 - 1
  /// values apart, and low <= high.
  std::int64_t integer(std::int64_t low, std::int64_t high);

  /// 0 to n - 1, each as often as any other; n is 1 to 2^32 - 1.
  std::size_t below(std::size_t n);

  /// In (0, 1), of mean a / (a + b); both at least 1. As normal(), it may differ in its last bits.
  double beta(double a, double b);

  /// True in `probability` of all calls; never for 0, always for 1.
  bool chance(double probability);

  /// Puts `items` into random order.
  template <typename T>
  void shuffle(std::span<T> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      const std::int64_t last = static_cast<std::int64_t>(left) - 1;
      std::swap(items[left - 1], items[static_cast<std::size_t>(integer(0, last))]);
    }
  }

 private:
  double gamma(double shape);

  std::uint64_t key_;
  std::uint64_t stream_ = 0;
  std::uint64_t position_ = 0;            ///< Of the next block.
  std::array<std::uint32_t, 4> block_{};  ///< What the last one gave.
  std::size_t used_ = 4;                  ///< How many of them are spent.
};

/// Ten rounds of Philox4x32: what Random draws from. Here for its test.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key);

}  // namespace yoloq
