// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace yoloq {

/// The largest finite value.
constexpr float kLargestHalf = 65504.0f;

/// IEEE 754 binary16 to binary32, exact for every input including subnormals, infinities and NaN.
float half_to_float(std::uint16_t bits);

/// binary32 to binary16, round to nearest even; beyond kLargestHalf becomes infinity.
std::uint16_t float_to_half(float value);

}  // namespace yoloq
