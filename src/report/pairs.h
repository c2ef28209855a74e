// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "coco/detections.h"

namespace yoloq::report {

/// One object as two models see it. Either may have missed it.
struct Pair {
  std::optional<coco::Detection> first;
  std::optional<coco::Detection> second;

  double first_score() const { return first ? first->score : 0; }
  double second_score() const { return second ? second->score : 0; }
};

/// Overlap from which two boxes of one class are the same object.
constexpr double kSameObject = 0.5;

/// Finds the same objects among the detections of two models, by image. Takes part what one model
/// is sure of by `least_score`; its partner may be any detection of the other, so that an object
/// whose score falls just below is not taken for lost. The surest choose first.
std::map<std::int64_t, std::vector<Pair>> pair_up(std::span<const coco::Detection> first,
                                                  std::span<const coco::Detection> second,
                                                  double least_score);

/// How much of an image's detections changed: the sum over its pairs of how far the score moved;
/// all of it where a model missed the object.
double change_of(std::span<const Pair> pairs);

}  // namespace yoloq::report
