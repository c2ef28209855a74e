// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace yoloq::calibrate {

/// A sum that does not depend on the order of its terms, as no bit of them is lost.
///
/// One integer of 384 bits, two's complement, in units of 2^-149 (the smallest float): every float
/// and every sum of floats that double holds is a whole number of them, and 2^50 sums of the
/// largest floats still fit. 48 bytes.
class ExactSum {
 public:
  static constexpr std::size_t kDigits = 12;

  ExactSum() = default;

  /// From digits() of another.
  explicit ExactSum(std::span<const std::uint32_t, kDigits> digits);

  /// Adds a finite term below 2^180. Bits under 2^-149, which a sum of floats does not have, are
  /// dropped.
  void add(double term);

  void add(const ExactSum& other);

  /// Multiplies by a count.
  void repeat(std::uint32_t factor);

  /// The nearest double, or one of the two next to it.
  double value() const;

  /// Base 2^32, the lowest first.
  std::span<const std::uint32_t, kDigits> digits() const { return digits_; }

  friend bool operator==(const ExactSum&, const ExactSum&) = default;

 private:
  std::array<std::uint32_t, kDigits> digits_{};
};

}  // namespace yoloq::calibrate
