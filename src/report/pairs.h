// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "coco/detections.h"

namespace yoloq::report {

/// One object as two models see it. Either may have missed it.
struct Pair {
  const coco::Detection* first = nullptr;
  const coco::Detection* second = nullptr;

  double first_score() const { return first == nullptr ? 0 : first->score; }
  double second_score() const { return second == nullptr ? 0 : second->score; }
};

/// Overlap from which two boxes of one class are the same object.
constexpr double kSameObject = 0.5;

/// Finds the same objects among the detections of two models, by image. Takes part what one model
/// is sure of by `least_score`; its partner may be any detection of the other, so that an object
/// whose score falls just below is not taken for lost. The surest choose first.
///
/// Pairs point into the arguments.
std::map<std::int64_t, std::vector<Pair>> pair_up(std::span<const coco::Detection> first,
                                                  std::span<const coco::Detection> second,
                                                  double least_score);

/// How much of an image's detections changed: the sum over its pairs of how far the score moved;
/// all of it where a model missed the object.
double change_of(std::span<const Pair> pairs);

}  // namespace yoloq::report
