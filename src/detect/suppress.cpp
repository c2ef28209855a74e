// SPDX-License-Identifier: Apache-2.0
#include "detect/suppress.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "vision/geometry.h"

namespace yoloq::detect {

namespace {

using vision::Rect;

/// Where a candidate stands: surest first, then by row, then by class.
struct Rank {
  std::uint64_t confidence_then_row;
  std::int32_t class_index;
  std::uint32_t candidate;  ///< Index.

  friend auto operator<=>(const Rank&, const Rank&) = default;
};

/// Positive floats are ordered as their bits are.
std::vector<Rank> ranked(std::span<const Candidate> candidates) {
  std::vector<Rank> ranks;
  ranks.reserve(candidates.size());
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    const std::uint64_t descending = ~std::bit_cast<std::uint32_t>(candidate.confidence);
    ranks.push_back({descending << 32 | candidate.row, candidate.class_index, i});
  }
  return ranks;
}

/// The least float that is above `threshold`: "overlap > threshold" in double is "overlap >= this".
float least_above(double threshold) {
  const auto rounded = static_cast<float>(threshold);
  if (static_cast<double>(rounded) > threshold) return rounded;
  return std::nextafter(rounded, std::numeric_limits<float>::infinity());
}

/// Boxes that stay, in columns so that one is compared with many at once.
class Kept {
 public:
  /// True if `box` overlaps one of them by `limit` or more. Same operations in the same order as
  /// torchvision's nms_kernel_impl.
  bool overlaps(const Rect& box, float limit) const {
    const float area = (box.x2 - box.x1) * (box.y2 - box.y1);
    int over = 0;
    for (std::size_t i = 0; i < x1_.size(); ++i) {
      const float left = std::max(x1_[i], box.x1);
      const float top = std::max(y1_[i], box.y1);
      const float right = std::min(x2_[i], box.x2);
      const float bottom = std::min(y2_[i], box.y2);
      const float width = std::max(0.0f, right - left);
      const float height = std::max(0.0f, bottom - top);
      const float inter = width * height;
      over |= static_cast<int>(inter / (area_[i] + area - inter) >= limit);
    }
    return over != 0;
  }

  void add(const Rect& box) {
    x1_.push_back(box.x1);
    y1_.push_back(box.y1);
    x2_.push_back(box.x2);
    y2_.push_back(box.y2);
    area_.push_back((box.x2 - box.x1) * (box.y2 - box.y1));
  }

 private:
  std::vector<float> x1_, y1_, x2_, y2_, area_;
};

/// True if boxes of different classes cannot meet once they are moved apart. Where they can (a
/// canvas larger than the offset), the reference lets them suppress each other.
bool classes_stay_apart(std::span<const Candidate> candidates, float offset) {
  float low = 0;
  float high = 0;
  for (const Candidate& candidate : candidates) {
    const Rect& box = candidate.box;
    low = std::min({low, box.x1, box.y1});
    high = std::max({high, box.x2, box.y2});
  }
  return high - low <= offset;
}

Rect moved(const Rect& box, float by) {
  return {box.x1 + by, box.y1 + by, box.x2 + by, box.y2 + by};
}

Box to_box(const Candidate& candidate) {
  const Rect& box = candidate.box;
  return {box.x1, box.y1, box.x2, box.y2, candidate.confidence, candidate.class_index};
}

}  // namespace

Boxes suppress(std::span<const Candidate> candidates, const SuppressOptions& options) {
  const float offset = options.across_classes ? 0.0f : options.class_offset;
  const bool by_class = !options.across_classes && classes_stay_apart(candidates, offset);
  const float limit = least_above(options.iou);
  std::vector<Rank> ranks = ranked(candidates);
  std::ranges::sort(ranks);
  if (ranks.size() > options.most_candidates) ranks.resize(options.most_candidates);

  Boxes boxes;
  std::vector<Kept> kept;
  for (const Rank& rank : ranks) {
    if (boxes.size() >= options.most_boxes) break;
    const Candidate& candidate = candidates[rank.candidate];
    const std::size_t group = by_class ? candidate.class_index : 0;
    if (group >= kept.size()) kept.resize(group + 1);
    const Rect box = moved(candidate.box, static_cast<float>(candidate.class_index) * offset);
    if (kept[group].overlaps(box, limit)) continue;
    kept[group].add(box);
    boxes.push_back(to_box(candidate));
  }
  return boxes;
}

}  // namespace yoloq::detect
