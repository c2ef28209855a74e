// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace yoloq::calibrate {

/// A closed interval of real values, in the units of the tensor it was measured on.
///
/// Always low <= 0 <= high, so that the real value 0 has an exact integer code. {0, 0} means that
/// every value seen was zero: such a tensor quantizes without error at any scale, and which one it
/// gets is the quantizer's choice, not a made up range.
struct Range {
  float low = 0.0f;
  float high = 0.0f;

  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace yoloq::calibrate
