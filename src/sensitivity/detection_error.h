// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <vector>

#include "detect/decode.h"
#include "model/metadata.h"

namespace yoloq::sensitivity {

/// One level of a head, before the sigmoid: [1, A * (5 + classes), H, W].
struct Level {
  std::vector<model::Anchor> anchors;  ///< Pixels, [A].
  double stride = 0;                   ///< Pixels per cell.
  std::int64_t classes = 0;
};

/// How far predictions moved, where there are any.
struct DetectionError {
  double weight = 0;  ///< Sum of the confidences of the float model's predictions.
  double box = 0;     ///< Of each, 1 - IoU of its box with where it was, times its confidence.
  double score = 0;   ///< Of each, the change of its confidence.
};

/// Objectness below which a place counts for nothing.
inline constexpr double kLeastObjectness = 0.001;

/// Compares one level's outputs, place by place; of each place and anchor the likeliest class.
///
/// @param base, actual  [1, A * (5 + classes), H, W] of one image.
/// @throws Error(bad_argument) if the shapes do not fit the level.
DetectionError detection_error(const Level& level, const detect::HeadOutput& base,
                               const detect::HeadOutput& actual);

}  // namespace yoloq::sensitivity
