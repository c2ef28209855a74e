// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/group.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <atomic>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace yoloq::coco::detail {

namespace {

constexpr std::uint32_t kNone = IdIndex::kNone;

struct Cell {
  std::uint32_t image = kNone;
  std::uint32_t category = kNone;

  bool is_in_scope() const { return image != kNone && category != kNone; }
};

[[noreturn]] void fail_detection(const Detection& detection, std::size_t index) {
  if (std::isnan(detection.score)) {
    fail(ErrorCode::bad_argument, "detection {} of image {}: its score is NaN", index,
         detection.image_id);
  }
  fail(ErrorCode::bad_argument,
       "detection {} belongs to image {}, which the annotations do not list; are these the "
       "annotations of the same data set?",
       index, detection.image_id);
}

std::vector<Cell> cells_of(std::span<const Detection> detections, const Scope& scope) {
  std::vector<Cell> cells(detections.size());
  std::atomic<std::size_t> first_bad = detections.size();
  const auto locate = [&](const tbb::blocked_range<std::size_t>& range) {
    for (std::size_t i = range.begin(); i < range.end(); ++i) {
      const Detection& detection = detections[i];
      const bool is_known = scope.known_images.find(detection.image_id) != kNone;
      if (!is_known || std::isnan(detection.score)) {
        std::size_t bad = first_bad;
        while (i < bad && !first_bad.compare_exchange_weak(bad, i)) continue;
        return;
      }
      cells[i] = {scope.images.find(detection.image_id),
                  scope.categories.find(detection.category_id)};
    }
  };
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, detections.size(), 4096), locate);
  if (first_bad < detections.size()) fail_detection(detections[first_bad], first_bad);
  return cells;
}

/// Counting sort by category, stable. `make(i)` gives the value of cell i.
template <typename T, typename Make>
Grouped<T> group(const std::vector<Cell>& cells, std::size_t categories, Make make) {
  Grouped<T> grouped;
  grouped.begins.assign(categories + 1, 0);
  for (const Cell& cell : cells) {
    if (cell.is_in_scope()) ++grouped.begins[cell.category + 1];
    if (cell.image != kNone && cell.category == kNone) ++grouped.unknown_category;
  }
  for (std::size_t k = 0; k < categories; ++k) grouped.begins[k + 1] += grouped.begins[k];
  grouped.values.resize(grouped.begins.back());

  std::vector<std::size_t> next(grouped.begins.begin(), grouped.begins.end() - 1);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].is_in_scope()) grouped.values[next[cells[i].category]++] = make(i);
  }
  return grouped;
}

template <typename T>
std::vector<std::int64_t> ids_of(const std::vector<T>& values) {
  std::vector<std::int64_t> ids;
  ids.reserve(values.size());
  for (const T& value : values) ids.push_back(value.id);
  return ids;
}

}  // namespace

Scope scope_of(const Annotations& annotations, const Options& options) {
  IdIndex known(ids_of(annotations.images));
  for (const std::int64_t id : options.image_ids) {
    if (known.find(id) != IdIndex::kNone) continue;
    fail(ErrorCode::bad_argument, "image {} was asked for, but the annotations do not list it", id);
  }
  IdIndex images(options.image_ids.empty() ? known.ids() : options.image_ids);
  return {std::move(known), std::move(images), IdIndex(ids_of(annotations.categories))};
}

Grouped<Entry> group_detections(std::span<const Detection> detections, const Scope& scope) {
  if (detections.size() >= kNone) {
    fail(ErrorCode::unsupported, "{} detections; at most {} can be evaluated", detections.size(),
         kNone - 1);
  }
  const std::vector<Cell> cells = cells_of(detections, scope);
  return group<Entry>(cells, scope.categories.size(), [&](std::size_t i) {
    return Entry{detections[i].score, cells[i].image, static_cast<std::uint32_t>(i)};
  });
}

Grouped<PlacedBox> group_boxes(const std::vector<Box>& boxes, const Scope& scope) {
  std::vector<Cell> cells;
  cells.reserve(boxes.size());
  for (const Box& box : boxes) {
    cells.push_back({scope.images.find(box.image_id), scope.categories.find(box.category_id)});
  }
  return group<PlacedBox>(cells, scope.categories.size(), [&](std::size_t i) {
    return PlacedBox{cells[i].image, &boxes[i]};
  });
}

}  // namespace yoloq::coco::detail
