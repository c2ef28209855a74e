// SPDX-License-Identifier: Apache-2.0
#include "report/pairs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace yoloq::report {

namespace {

/// A detection that may have a partner.
struct Single {
  const coco::Detection* detection = nullptr;
  bool taken = false;
};

/// The detections of one image, surest first.
using Singles = std::vector<Single>;

std::map<std::int64_t, Singles> by_image(std::span<const coco::Detection> detections) {
  std::map<std::int64_t, Singles> images;
  for (const coco::Detection& each : detections) images[each.image_id].push_back({&each});
  for (auto& [id, singles] : images) {
    std::ranges::stable_sort(singles, std::ranges::greater{},
                             [](const Single& single) { return single.detection->score; });
  }
  return images;
}

double overlap(const coco::Detection& a, const coco::Detection& b) {
  const auto shared = [&](std::size_t side) {
    const double end = std::min(a.bbox[side] + a.bbox[side + 2], b.bbox[side] + b.bbox[side + 2]);
    return std::max(0.0, end - std::max(a.bbox[side], b.bbox[side]));
  };
  const double both = shared(0) * shared(1);
  const double all = a.bbox[2] * a.bbox[3] + b.bbox[2] * b.bbox[3] - both;
  return all > 0 ? both / all : 0;
}

/// The free detection of the same class that overlaps most, if that is enough.
Single* partner_of(const coco::Detection& detection, Singles& others) {
  Single* best = nullptr;
  double most = kSameObject;
  for (Single& other : others) {
    if (other.taken || other.detection->category_id != detection.category_id) continue;
    const double value = overlap(detection, *other.detection);
    if (value < most || (best != nullptr && value == most)) continue;
    best = &other;
    most = value;
  }
  return best;
}

}  // namespace

std::map<std::int64_t, std::vector<Pair>> pair_up(std::span<const coco::Detection> first,
                                                  std::span<const coco::Detection> second,
                                                  double least_score) {
  auto firsts = by_image(first);
  auto seconds = by_image(second);
  std::map<std::int64_t, std::vector<Pair>> pairs;
  const auto choose = [&](auto& choosers, auto& others, bool swapped) {
    for (auto& [image, singles] : choosers) {
      for (Single& single : singles) {
        if (single.taken || single.detection->score < least_score) continue;
        single.taken = true;
        Single* partner = partner_of(*single.detection, others[image]);
        if (partner != nullptr) partner->taken = true;
        Pair pair{.first = *single.detection};
        if (partner != nullptr) pair.second = *partner->detection;
        if (swapped) std::swap(pair.first, pair.second);
        pairs[image].push_back(pair);
      }
    }
  };
  choose(firsts, seconds, false);
  choose(seconds, firsts, true);
  return pairs;
}

double change_of(std::span<const Pair> pairs) {
  double sum = 0;
  for (const Pair& pair : pairs) sum += std::abs(pair.first_score() - pair.second_score());
  return sum;
}

}  // namespace yoloq::report
