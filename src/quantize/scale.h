// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/range.h"
#include "core/dtype.h"

/// @file
/// The one place with the arithmetic of quantization, as ONNX defines QuantizeLinear:
///
///     code  = saturate(round_half_to_even(real / scale) + zero_point)
///     real' = (code - zero_point) * scale
///
/// Source: ONNX operator specification, QuantizeLinear and DequantizeLinear.

namespace yoloq::quantize {

/// `value` rounded half to even, if its magnitude is below 2^22, in a form that vectorizes: adding
/// 1.5 * 2^23 leaves no bits for a fraction.
inline float round_to_even(float value) {
  constexpr float kMagic = 12582912.0f;
  return (value + kMagic) - kMagic;
}

/// How one tensor, or one channel of it, maps to 8-bit codes.
struct Quantizer {
  DType dtype = DType::i8;  ///< i8: codes -128..127 (weights: -127..127), u8: 0..255.
  float scale = 1.0f;       ///< Real value of one step; always finite and above zero.
  int zero_point = 0;       ///< The code of the real value 0.

  friend bool operator==(const Quantizer&, const Quantizer&) = default;
};

/// Smallest and largest code of an activation of type i8 or u8.
struct CodeLimits {
  int low = 0;
  int high = 0;
};
CodeLimits code_limits(DType dtype);

/// int8 with zero point 0 whose code 127 stands for the larger end of `range`.
///
/// A range of zeros has the scale 1: any scale holds it exactly.
Quantizer symmetric_quantizer(const calibrate::Range& range);

/// uint8 whose codes 0 and 255 stand for the ends of `range`, moved by less than one step so that 0
/// has a code of its own.
Quantizer asymmetric_quantizer(const calibrate::Range& range);

/// The code of `value`.
int quantize_value(float value, const Quantizer& quantizer);

/// The value that the code of `value` stands for ("fake quantization").
float fake_quantize(float value, const Quantizer& quantizer);

}  // namespace yoloq::quantize
