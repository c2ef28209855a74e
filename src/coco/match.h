// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coco/annotations.h"
#include "coco/detections.h"
#include "coco/protocol.h"

namespace yoloq::coco {

/// What to evaluate.
struct Options {
  std::vector<std::int64_t> image_ids;  ///< Only these images; empty: all of the annotation file.
};

/// How one detection fared at every threshold and area range. Bit t of a mask stands for
/// kThresholdValues[t].
struct Verdict {
  double score = 0.0;
  std::uint32_t image = 0;      ///< Index in Matches::image_ids.
  std::uint32_t detection = 0;  ///< Index in the detections that were matched.
  std::uint16_t rank = 0;       ///< 0 for the highest score of its class in its image, up to 99.
  std::array<std::uint16_t, kAreas> matched{};  ///< Found a box, counted or not.
  std::array<std::uint16_t, kAreas> ignored{};  ///< Counts neither as right nor as wrong.
};

/// The boxes of one class in one image that are to be found.
struct Truth {
  std::uint32_t image = 0;                      ///< Index in Matches::image_ids.
  std::array<std::uint32_t, kAreas> counted{};  ///< Neither crowd nor outside of the area range.
};

/// One class on all images.
struct ClassMatches {
  Category category;
  std::vector<Verdict> verdicts;  ///< By falling score; ties by image, then rank.
  std::vector<Truth> truths;      ///< By image; one per image that has boxes of the class.
};

/// Every image and class matched; what `accumulate` needs, and all it needs.
struct Matches {
  std::vector<std::int64_t> image_ids;  ///< The evaluated images, ascending.
  std::vector<ClassMatches> classes;    ///< By ascending category id.
  std::size_t unknown_category = 0;     ///< Detections left out as their category is not listed.
};

/// Gives each detection a box of its class and image, in order of score, for each threshold and
/// area range. At most 100 detections of a class in an image take part. Uses all threads; the
/// result does not depend on their number.
///
/// Source: pycocotools 2.0.11, COCOeval.evaluate and evaluateImg, with maskApi.c's bbIou.
///
/// @throws Error(bad_argument) naming the id if a detection belongs to an image that the
/// annotations
///     do not list, if a score is NaN, or if `options` names an unknown image.
Matches match(const Annotations& annotations, std::span<const Detection> detections,
              const Options& options = {});

}  // namespace yoloq::coco
