// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "detect/decode.h"
#include "graph/graph.h"
#include "model/metadata.h"
#include "pipeline/model.h"

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

/// The levels whose convolutions end in the outputs of `heads`, fine to coarse.
///
/// @param heads  with the head's convolutions as outputs, of known shapes.
/// @throws Error(unsupported) if the head is of another kind.
std::vector<Level> levels_of(const pipeline::DetectionModel& model, const graph::Graph& heads);

/// detection_error() of all levels of one image, box and score together, over the weight; none if
/// the float model sees nothing there.
std::optional<double> moved_part(std::span<const Level> levels,
                                 std::span<const detect::HeadOutput> base,
                                 std::span<const detect::HeadOutput> actual);

}  // namespace yoloq::sensitivity
