// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/curve.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace yoloq::coco::detail {

namespace {

constexpr std::uint32_t kAllThresholds = (1u << kThresholds) - 1;

/// The verdicts of one class under one area range and detection limit, walked by falling score:
/// for each threshold and each box found, how many wrong detections came before.
struct Walk {
  std::array<std::vector<std::uint64_t>, kThresholds> wrong_before;
  std::uint64_t wrong_at_all = 0;
  std::array<std::uint64_t, kThresholds> wrong_more{};

  /// Takes in a detection, `count` times over.
  void add(std::uint32_t right, std::uint32_t wrong, std::uint32_t count) {
    if (wrong == kAllThresholds) {
      wrong_at_all += count;
      return;
    }
    for (; wrong != 0; wrong &= wrong - 1) {
      wrong_more[static_cast<std::size_t>(std::countr_zero(wrong))] += count;
    }
    for (; right != 0; right &= right - 1) {
      const auto t = static_cast<std::size_t>(std::countr_zero(right));
      wrong_before[t].insert(wrong_before[t].end(), count, wrong_at_all + wrong_more[t]);
    }
  }
};

using Walks = std::array<std::array<Walk, kDetectionLimits>, kAreas>;

/// The tightest limit that lets a detection of this rank take part; all looser ones do as well.
std::size_t tightest_limit(std::uint32_t rank) {
  std::size_t limit = 0;
  while (rank >= kDetectionLimitValues[limit]) ++limit;
  return limit;
}

/// All settings in one pass, as the verdicts do not fit the caches.
Walks walk(const ClassMatches& matches, const ImageCounts& counts) {
  Walks walks;
  for (const Verdict& verdict : matches.verdicts) {
    const std::uint32_t count = counts.of(verdict.image);
    if (count == 0) continue;
    const std::size_t tightest = tightest_limit(verdict.rank);
    for (std::size_t area = 0; area < kAreas; ++area) {
      const std::uint32_t counted = kAllThresholds & ~std::uint32_t{verdict.ignored[area]};
      if (counted == 0) continue;
      const std::uint32_t matched = verdict.matched[area];
      for (std::size_t limit = tightest; limit < kDetectionLimits; ++limit) {
        walks[area][limit].add(matched & counted, ~matched & counted, count);
      }
    }
  }
  return walks;
}

/// For each recall of the curve, how many boxes must be found to reach it; at least one.
std::array<std::uint64_t, kRecalls> boxes_for_recalls(std::uint64_t boxes) {
  std::array<std::uint64_t, kRecalls> needed{};
  std::uint64_t found = 1;
  for (std::size_t r = 0; r < kRecalls; ++r) {
    while (static_cast<double>(found) / static_cast<double>(boxes) < kRecallValues[r]) ++found;
    needed[r] = found;
  }
  return needed;
}

/// Precision at each recall: the highest at that or any later point of the walk. Points other than
/// a found box are never higher than the one before, so they are not looked at.
void fill(std::span<const std::uint64_t> wrong_before,
          const std::array<std::uint64_t, kRecalls>& needed, std::span<double, kRecalls> curve) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();  // numpy.spacing(1)
  double highest = 0.0;
  std::size_t next = wrong_before.size();
  for (std::size_t r = kRecalls; r-- > 0;) {
    for (; next >= needed[r]; --next) {
      const auto right = static_cast<double>(next);
      const auto wrong = static_cast<double>(wrong_before[next - 1]);
      highest = std::max(highest, right / (wrong + right + kEpsilon));
    }
    curve[r] = needed[r] <= wrong_before.size() ? highest : 0.0;
  }
}

}  // namespace

std::array<std::uint64_t, kAreas> count_boxes(const std::vector<Truth>& truths,
                                              const ImageCounts& counts) {
  std::array<std::uint64_t, kAreas> boxes{};
  for (const Truth& truth : truths) {
    const std::uint64_t count = counts.of(truth.image);
    for (std::size_t a = 0; a < kAreas; ++a) boxes[a] += count * truth.counted[a];
  }
  return boxes;
}

std::optional<std::array<double, kThresholds>> average_precisions(const ClassMatches& matches,
                                                                  const ImageCounts& counts) {
  const std::uint64_t boxes = count_boxes(matches.truths, counts)[0];
  if (boxes == 0) return std::nullopt;
  Walk walk;
  for (const Verdict& verdict : matches.verdicts) {
    const std::uint32_t count = counts.of(verdict.image);
    const std::uint32_t counted = kAllThresholds & ~std::uint32_t{verdict.ignored[0]};
    if (count == 0 || counted == 0) continue;
    const std::uint32_t matched = verdict.matched[0];
    walk.add(matched & counted, ~matched & counted, count);
  }
  const auto needed = boxes_for_recalls(boxes);
  std::array<double, kThresholds> averages{};
  std::array<double, kRecalls> curve{};
  for (std::size_t t = 0; t < kThresholds; ++t) {
    fill(walk.wrong_before[t], needed, curve);
    averages[t] = std::accumulate(curve.begin(), curve.end(), 0.0) / kRecalls;
  }
  return averages;
}

void draw_curves(const ClassMatches& matches, const ImageCounts& counts, std::size_t category,
                 Curves& curves) {
  const auto boxes = count_boxes(matches.truths, counts);
  const Walks walks = walk(matches, counts);
  Setting setting{.category = category};
  for (setting.area = 0; setting.area < kAreas; ++setting.area) {
    if (boxes[setting.area] == 0) continue;
    const auto needed = boxes_for_recalls(boxes[setting.area]);
    for (setting.limit = 0; setting.limit < kDetectionLimits; ++setting.limit) {
      const Walk& one = walks[setting.area][setting.limit];
      for (setting.threshold = 0; setting.threshold < kThresholds; ++setting.threshold) {
        const auto& wrong_before = one.wrong_before[setting.threshold];
        fill(wrong_before, needed, curves.precision(setting));
        curves.set_recall(setting, static_cast<double>(wrong_before.size()) /
                                       static_cast<double>(boxes[setting.area]));
      }
    }
  }
}

}  // namespace yoloq::coco::detail
