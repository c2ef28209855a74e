// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/match_class.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_sort.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "coco/detail/match_cell.h"

namespace yoloq::coco::detail {

namespace {

/// One image of the class: places in the lists that are sorted by image.
struct ImageCell {
  std::uint32_t image = 0;
  std::span<Entry> entries;          // by falling score, at most the detection limit
  std::span<const PlacedBox> boxes;  // in the order of the file
  std::size_t first_verdict = 0;     // place in the list of all kept entries
  Truth truth;
};

template <typename T>
void sort_by_image(std::span<T> values) {
  if (std::ranges::is_sorted(values, {}, &T::image)) return;
  std::ranges::stable_sort(values, {}, &T::image);
}

/// The values of the image that `values` begins with.
template <typename T>
std::span<T> first_image(std::span<T> values, std::uint32_t image) {
  const auto end = std::ranges::find_if(values, [=](const T& v) { return v.image != image; });
  return values.first(static_cast<std::size_t>(end - values.begin()));
}

std::vector<ImageCell> cut_by_image(std::span<Entry> entries, std::span<const PlacedBox> boxes) {
  std::vector<ImageCell> cells;
  std::size_t verdicts = 0;
  while (!entries.empty() || !boxes.empty()) {
    ImageCell cell;
    cell.image = std::min(entries.empty() ? IdIndex::kNone : entries.front().image,
                          boxes.empty() ? IdIndex::kNone : boxes.front().image);
    cell.entries = first_image(entries, cell.image);
    cell.boxes = first_image(boxes, cell.image);
    entries = entries.subspan(cell.entries.size());
    boxes = boxes.subspan(cell.boxes.size());
    cell.first_verdict = verdicts;
    verdicts += std::min<std::size_t>(cell.entries.size(), kDetectionLimitValues.back());
    cells.push_back(cell);
  }
  return cells;
}

/// Highest score first, ties in the order of the file, cut at the detection limit.
void rank(ImageCell& cell) {
  const auto ahead = [](const Entry& a, const Entry& b) {
    return a.score != b.score ? a.score > b.score : a.detection < b.detection;
  };
  if (!std::ranges::is_sorted(cell.entries, ahead)) std::ranges::sort(cell.entries, ahead);
  const std::size_t limit = kDetectionLimitValues.back();
  cell.entries = cell.entries.first(std::min(cell.entries.size(), limit));
}

/// A number that falls where `score` rises; equal for -0.0 and 0.0, as they tie.
std::uint64_t falling_key(double score) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const auto bits = std::bit_cast<std::uint64_t>(score + 0.0);
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

/// For each kept entry, in the order of the cells, its place among all by falling score.
std::vector<std::uint32_t> places_by_score(const std::vector<ImageCell>& cells, std::size_t count) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keys(count);
  std::uint32_t place = 0;
  for (const ImageCell& cell : cells) {
    for (const Entry& entry : cell.entries) {
      keys[place] = {falling_key(entry.score), place};
      ++place;
    }
  }
  tbb::parallel_sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> places(count);
  for (std::uint32_t i = 0; i < count; ++i) places[keys[i].second] = i;
  return places;
}

/// Calls `work(cell, matcher)` for all cells, on all threads; each has a matcher of its own.
template <typename Work>
void for_each_cell(std::vector<ImageCell>& cells, Work work) {
  constexpr std::size_t kGrain = 64;
  const tbb::blocked_range<std::size_t> all(0, cells.size(), kGrain);
  tbb::parallel_for(all, [&](const tbb::blocked_range<std::size_t>& range) {
    CellMatcher matcher;
    for (std::size_t i = range.begin(); i < range.end(); ++i) work(cells[i], matcher);
  });
}

}  // namespace

void match_class(std::span<Entry> entries, std::span<PlacedBox> boxes,
                 std::span<const Detection> detections, ClassMatches& result) {
  sort_by_image(entries);
  sort_by_image(boxes);
  std::vector<ImageCell> cells = cut_by_image(entries, boxes);
  for_each_cell(cells, [](ImageCell& cell, CellMatcher&) { rank(cell); });

  std::size_t count = 0;
  for (const ImageCell& cell : cells) count += cell.entries.size();
  const std::vector<std::uint32_t> places = places_by_score(cells, count);
  result.verdicts.resize(count);

  for_each_cell(cells, [&](ImageCell& cell, CellMatcher& matcher) {
    matcher.set_boxes(cell.boxes);
    cell.truth = {cell.image, matcher.counted()};
    for (std::size_t r = 0; r < cell.entries.size(); ++r) {
      const Entry& entry = cell.entries[r];
      Verdict& verdict = result.verdicts[places[cell.first_verdict + r]];
      verdict = {entry.score, cell.image, entry.detection, static_cast<std::uint16_t>(r), {}, {}};
      matcher.judge(detections[entry.detection], verdict);
    }
  });
  for (const ImageCell& cell : cells) {
    if (!cell.boxes.empty()) result.truths.push_back(cell.truth);
  }
}

}  // namespace yoloq::coco::detail
