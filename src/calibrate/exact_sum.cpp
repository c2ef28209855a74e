// SPDX-License-Identifier: Apache-2.0
#include "calibrate/exact_sum.h"

#include <algorithm>
#include <cmath>

namespace yoloq::calibrate {

namespace {

constexpr int kLowestPower = -149;
constexpr int kMantissaBits = 53;
constexpr int kDigitBits = 32;

using Digits = std::array<std::uint32_t, ExactSum::kDigits>;

/// Modulo 2^384, as two's complement wants it.
void add_digits(Digits& sum, const Digits& term) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    carry += std::uint64_t{sum[i]} + term[i];
    sum[i] = static_cast<std::uint32_t>(carry);
    carry >>= kDigitBits;
  }
}

void negate(Digits& digits) {
  for (std::uint32_t& digit : digits) digit = ~digit;
  add_digits(digits, {1});
}

/// |term| in units of 2^-149.
Digits digits_of(double term) {
  int power = 0;
  const double fraction = std::frexp(std::fabs(term), &power);
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, kMantissaBits));
  int shift = power - kMantissaBits - kLowestPower;
  if (shift < 0) {
    mantissa = shift > -kMantissaBits ? mantissa >> -shift : 0;
    shift = 0;
  }

  Digits digits{};
  auto place = static_cast<std::size_t>(shift / kDigitBits);
  const int rest = shift % kDigitBits;
  const std::uint64_t low = mantissa << rest;
  const std::uint64_t high = rest == 0 ? 0 : mantissa >> (64 - rest);
  for (const std::uint64_t part : {low & 0xffffffff, low >> kDigitBits, high}) {
    if (place < digits.size()) digits[place++] = static_cast<std::uint32_t>(part);
  }
  return digits;
}

}  // namespace

ExactSum::ExactSum(std::span<const std::uint32_t, kDigits> digits) {
  std::ranges::copy(digits, digits_.begin());
}

void ExactSum::add(double term) {
  Digits digits = digits_of(term);
  if (term < 0) negate(digits);
  add_digits(digits_, digits);
}

void ExactSum::add(const ExactSum& other) { add_digits(digits_, other.digits_); }

void ExactSum::repeat(std::uint32_t factor) {
  std::uint64_t carry = 0;
  for (std::uint32_t& digit : digits_) {
    carry += std::uint64_t{digit} * factor;
    digit = static_cast<std::uint32_t>(carry);
    carry >>= kDigitBits;
  }
}

double ExactSum::value() const {
  Digits magnitude = digits_;
  const bool negative = digits_.back() >> (kDigitBits - 1) != 0;
  if (negative) negate(magnitude);

  double value = 0.0;
  for (std::size_t i = kDigits; i-- > 0;) {
    value += std::ldexp(static_cast<double>(magnitude[i]),
                        kLowestPower + kDigitBits * static_cast<int>(i));
  }
  return negative ? -value : value;
}

}  // namespace yoloq::calibrate
