// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace yoloq {

/// Seeded random numbers that are the same with every compiler and standard library (whose
/// distributions are not): xoshiro256**, filled by SplitMix64.
///
/// A pair of seed and stream names a sequence: one stream per sample, so that what a sample draws
/// does not depend on the samples drawn before it. normal() and beta() call the C library's log(),
/// which may differ in its last bit between machines.
///
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream);

  /// 64 random bits.
  std::uint64_t bits();

  /// In [0, 1), a multiple of 2^-53.
  double uniform();

  /// In [low, high); `low` where both are the same.
  double uniform(double low, double high);

  /// 0 to n - 1, each as often as any other; 0 for n = 0.
  std::uint64_t below(std::uint64_t n);

  /// Of mean 0 and variance 1.
  double normal();

  /// In (0, 1), of mean a / (a + b); both positive.
  double beta(double a, double b);

 private:
  double gamma(double shape);

  std::array<std::uint64_t, 4> state_;
};

}  // namespace yoloq
