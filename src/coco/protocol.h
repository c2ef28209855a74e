// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// @file
/// The constants of COCO bounding box evaluation.
///
/// Source: pycocotools 2.0.11, cocoeval.py, Params.setDetParams.

namespace yoloq::coco {

inline constexpr std::size_t kThresholds = 10;      ///< T: least intersection over union.
inline constexpr std::size_t kRecalls = 101;        ///< R: recalls where precision is read.
inline constexpr std::size_t kAreas = 4;            ///< A: ranges of area.
inline constexpr std::size_t kDetectionLimits = 3;  ///< M: most detections of a class in an image.

/// An interval of areas in pixels squared, both ends included.
struct AreaRange {
  std::string_view name;
  double low;
  double high;
};

inline constexpr std::array<AreaRange, kAreas> kAreaRanges{{{"all", 0.0, 1e10},
                                                            {"small", 0.0, 32.0 * 32.0},
                                                            {"medium", 32.0 * 32.0, 96.0 * 96.0},
                                                            {"large", 96.0 * 96.0, 1e10}}};

inline constexpr std::array<std::uint32_t, kDetectionLimits> kDetectionLimitValues{1, 10, 100};

/// numpy.linspace(low, high, N): each value is rounded twice, which decides matches at a threshold.
template <std::size_t N>
constexpr std::array<double, N> linspace(double low, double high) {
  std::array<double, N> values{};
  const double step = (high - low) / static_cast<double>(N - 1);
  for (std::size_t i = 0; i < N; ++i) values[i] = static_cast<double>(i) * step + low;
  values[N - 1] = high;
  return values;
}

/// .50, .55, ..., .95.
inline constexpr std::array<double, kThresholds> kThresholdValues = linspace<kThresholds>(.5, .95);

/// 0, .01, ..., 1.
inline constexpr std::array<double, kRecalls> kRecallValues = linspace<kRecalls>(0.0, 1.0);

}  // namespace yoloq::coco
