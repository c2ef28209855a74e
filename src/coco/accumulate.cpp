// SPDX-License-Identifier: Apache-2.0
#include "coco/accumulate.h"

#include <tbb/parallel_for.h>

#include <array>
#include <optional>
#include <vector>

#include "coco/detail/curve.h"
#include "coco/detail/mean.h"
#include "core/error.h"

namespace yoloq::coco {

namespace {

/// What a figure averages over all classes and, unless one is named, all thresholds.
struct Slice {
  bool is_recall = false;
  std::optional<std::size_t> threshold;
  std::size_t area = 0;
  std::size_t limit = kDetectionLimits - 1;
};

/// In the order of Figure.
constexpr std::array<Slice, kFigureNames.size()> kSlices{{
    {},
    {.threshold = 0},
    {.threshold = 5},
    {.area = 1},
    {.area = 2},
    {.area = 3},
    {.is_recall = true, .limit = 0},
    {.is_recall = true, .limit = 1},
    {.is_recall = true},
    {.is_recall = true, .area = 1},
    {.is_recall = true, .area = 2},
    {.is_recall = true, .area = 3},
}};
static_assert(kThresholdValues[0] == .5 && kThresholdValues[5] == .75);

/// The values of a slice without the -1 of absent classes, in the order [T, R, K] that decides how
/// the mean is rounded.
std::vector<double> values_of(const Curves& curves, const Slice& slice) {
  const std::size_t first = slice.threshold.value_or(0);
  const std::size_t last = slice.threshold.value_or(kThresholds - 1);
  const std::size_t recalls = slice.is_recall ? 1 : kRecalls;
  std::vector<double> values;
  values.reserve((last - first + 1) * recalls * curves.categories());
  Setting setting{.area = slice.area, .limit = slice.limit};
  for (setting.threshold = first; setting.threshold <= last; ++setting.threshold) {
    for (std::size_t r = 0; r < recalls; ++r) {
      for (setting.category = 0; setting.category < curves.categories(); ++setting.category) {
        const double value =
            slice.is_recall ? curves.recall(setting) : curves.precision(setting)[r];
        if (value > -1.0) values.push_back(value);
      }
    }
  }
  return values;
}

ClassMetrics class_metrics(const Curves& curves, const Category& category, std::size_t k) {
  std::vector<double> values;
  values.reserve(kThresholds * kRecalls);
  for (std::size_t t = 0; t < kThresholds; ++t) {
    const auto curve = curves.precision({.category = k, .threshold = t});
    if (curve[0] > -1.0) values.insert(values.end(), curve.begin(), curve.end());
  }
  const std::span all(values);
  return {.category_id = category.id,
          .name = category.name,
          .ap = detail::mean(all),
          .ap50 = detail::mean(all.first(all.empty() ? 0 : kRecalls))};
}

}  // namespace

Metrics accumulate(const Matches& matches, std::span<const std::uint32_t> image_counts) {
  const std::size_t images = matches.image_ids.size();
  if (!image_counts.empty() && image_counts.size() != images) {
    fail(ErrorCode::bad_argument, "{} image counts were given for {} images", image_counts.size(),
         images);
  }
  const detail::ImageCounts counts(image_counts);
  const std::size_t categories = matches.classes.size();
  Metrics metrics;
  metrics.curves = Curves(categories);
  metrics.classes.resize(categories);
  tbb::parallel_for(std::size_t{0}, categories, [&](std::size_t k) {
    const ClassMatches& one = matches.classes[k];
    detail::draw_curves(one, counts, k, metrics.curves);
    metrics.classes[k] = class_metrics(metrics.curves, one.category, k);
    metrics.classes[k].boxes = detail::count_boxes(one.truths, counts)[0];
  });
  tbb::parallel_for(std::size_t{0}, kSlices.size(), [&](std::size_t f) {
    metrics.figures[f] = detail::mean(values_of(metrics.curves, kSlices[f]));
  });

  for (std::uint32_t i = 0; i < images; ++i) metrics.images += counts.of(i);
  for (const ClassMetrics& one : metrics.classes) metrics.boxes += one.boxes;
  for (const ClassMatches& one : matches.classes) {
    for (const Verdict& verdict : one.verdicts) metrics.detections += counts.of(verdict.image);
  }
  metrics.unknown_category = matches.unknown_category;
  return metrics;
}

}  // namespace yoloq::coco
