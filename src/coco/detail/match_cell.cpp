// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/match_cell.h"

#include <algorithm>
#include <cmath>

#include "coco/detail/overlap.h"

namespace yoloq::coco::detail {

namespace {

constexpr std::uint16_t kFullMask = (1u << kThresholds) - 1;

bool is_outside(double area, const AreaRange& range) {
  return area < range.low || area > range.high;
}

/// The thresholds that are not above `overlap`. A NaN reaches all, as in the comparison
/// "overlap < threshold" that pycocotools makes.
std::uint16_t reached_by(double overlap) {
  std::uint16_t reached = 0;
  for (std::size_t t = 0; t < kThresholds; ++t) {
    if (!(overlap < kThresholdValues[t])) reached |= static_cast<std::uint16_t>(1u << t);
  }
  return reached;
}

}  // namespace

void CellMatcher::set_boxes(std::span<const PlacedBox> boxes) {
  targets_.clear();
  for (const PlacedBox& placed : boxes) {
    const Box* box = placed.box;
    Target& target = targets_.emplace_back();
    target.bbox = box->bbox;
    target.area = box->bbox[2] * box->bbox[3];
    target.is_crowd = box->is_crowd;
    target.is_nameless = box->id == 0;
    for (std::size_t a = 0; a < kAreas; ++a) {
      target.ignored[a] = box->is_crowd || is_outside(box->area, kAreaRanges[a]);
    }
  }
}

std::array<std::uint32_t, kAreas> CellMatcher::counted() const {
  std::array<std::uint32_t, kAreas> counted{};
  for (const Target& target : targets_) {
    for (std::size_t a = 0; a < kAreas; ++a) counted[a] += target.ignored[a] ? 0 : 1;
  }
  return counted;
}

/// The boxes that the detection may get: those that it overlaps by the lowest threshold. Behind a
/// NaN all others as well, since nothing is less than a NaN that was the best so far.
void CellMatcher::collect_candidates(const Detection& detection) {
  candidates_.clear();
  const double area = detection.bbox[2] * detection.bbox[3];
  double least = kThresholdValues.front();
  for (Target& target : targets_) {
    const double overlap =
        overlap_of(detection.bbox, area, target.bbox, target.area, target.is_crowd);
    if (overlap < least) continue;
    candidates_.push_back({&target, overlap, reached_by(overlap)});
    if (std::isnan(overlap)) least = overlap;
  }
}

/// The free box of the largest overlap, the last of equals; one that is ignored only if there is no
/// other.
CellMatcher::Candidate* CellMatcher::best_at(std::size_t threshold, std::size_t area) {
  for (const bool ignored : {false, true}) {
    Candidate* best = nullptr;
    double least = kThresholdValues[threshold];
    for (Candidate& candidate : candidates_) {
      const Target& target = *candidate.target;
      if (target.ignored[area] != ignored) continue;
      if ((target.taken[area] >> threshold & 1u) != 0 && !target.is_crowd) continue;
      if (candidate.overlap < least) continue;
      least = candidate.overlap;
      best = &candidate;
    }
    if (best != nullptr) return best;
  }
  return nullptr;
}

void CellMatcher::assign(Candidate& candidate, std::size_t area, Mask thresholds,
                         Verdict& verdict) {
  Target& target = *candidate.target;
  target.taken[area] |= thresholds;
  if (!target.is_nameless) verdict.matched[area] |= thresholds;
  if (target.ignored[area]) verdict.ignored[area] |= thresholds;
}

void CellMatcher::judge(const Detection& detection, Verdict& verdict) {
  collect_candidates(detection);
  const double own_area = detection.bbox[2] * detection.bbox[3];
  for (std::size_t area = 0; area < kAreas; ++area) {
    if (candidates_.size() == 1) {
      Candidate& only = candidates_.front();
      const Mask taken = only.target->is_crowd ? Mask{0} : only.target->taken[area];
      assign(only, area, only.reached & static_cast<Mask>(~taken), verdict);
    } else if (!candidates_.empty()) {
      for (std::size_t t = 0; t < kThresholds; ++t) {
        Candidate* best = best_at(t, area);
        if (best != nullptr) assign(*best, area, static_cast<Mask>(1u << t), verdict);
      }
    }
    if (is_outside(own_area, kAreaRanges[area])) {
      verdict.ignored[area] |= kFullMask & static_cast<Mask>(~verdict.matched[area]);
    }
  }
}

}  // namespace yoloq::coco::detail
