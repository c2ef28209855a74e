// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "calibrate/range.h"
#include "calibrate/statistics.h"

/// @file
/// Calibrators turn the statistics of one tensor into the range to quantize: pure functions, all of
/// them from the same single pass over the images.
///
///     Collector -> TensorStatistics -> compute_range("mse", ...) -> Range -> quantize
///
/// To add one: copy min_max.{h,cpp} and its test, then add a row in registry.cpp. The command line,
/// the docs and the conformance tests all read that table.

namespace yoloq::calibrate {

/// Whether the integer codes lie evenly around the real value 0.
enum class Scheme {
  symmetric,   ///< int8, zero point 0: [-a, a], scale a / 127, codes -128 to 127.
  asymmetric,  ///< uint8: [low, high], scale (high - low) / 255, zero point round(-low / scale).
};

struct RangeOptions {
  Scheme scheme = Scheme::symmetric;
  double percentile = 99.99;  ///< Of the percentile calibrator: above 50, at most 100.
  int bits = 8;               ///< Of a code: 2 to 16.

  /// Holds the low end of an asymmetric range at a bound that the tensor is known to respect, such
  /// as the minimum of SiLU, kSiluMinimum. Ignored by the symmetric scheme.
  std::optional<float> known_low;
};

/// The least value of x * sigmoid(x), at x = -1.27846.
inline constexpr float kSiluMinimum = -0.27846455f;

/// One row per calibrator.
struct CalibratorInfo {
  std::string_view name;     ///< As typed on the command line.
  std::string_view summary;  ///< One line for --help and the docs.
  std::string_view source;   ///< The paper or implementation it follows.
  Range (*compute)(const TensorStatistics&, const RangeOptions&);  ///< Call compute_range instead.
};

/// All calibrators, in the order --help lists them.
std::span<const CalibratorInfo> calibrators();

/// The calibrator of that name.
///
/// @throws Error(bad_argument) naming the known ones if there is none.
const CalibratorInfo& find_calibrator(std::string_view name);

/// The range of a tensor. {0, 0} exactly if every value seen was zero (a magnitude below 2^-114
/// counts as zero); else low < high, and with the symmetric scheme low == -high.
///
/// @throws Error(bad_argument) for an unknown calibrator, an option out of its range, or a
/// known_low that is positive or above values that were seen; Error(bad_state) if no value was
/// observed: a range is never made up.
Range compute_range(const TensorStatistics& statistics, std::string_view calibrator,
                    const RangeOptions& options);

}  // namespace yoloq::calibrate
