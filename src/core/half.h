// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace yoloq {

/// IEEE 754 binary16 to binary32, exact for every input including subnormals, infinities and NaN.
float half_to_float(std::uint16_t bits);

/// binary32 to binary16, round to nearest even; beyond 65504 becomes infinity.
std::uint16_t float_to_half(float value);

}  // namespace yoloq
