// SPDX-License-Identifier: Apache-2.0
#include "coco/bootstrap.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "coco/detail/curve.h"
#include "core/error.h"

namespace yoloq::coco {

namespace {

struct Precision {
  double ap = 0.0;
  double ap50 = 0.0;
};

/// Figure::ap and Figure::ap50 of a resample, and nothing else.
Precision precision_of(const Matches& matches, const detail::ImageCounts& counts) {
  Precision sum;
  std::size_t classes = 0;
  for (const ClassMatches& one : matches.classes) {
    const auto precisions = detail::average_precisions(one, counts);
    if (!precisions) continue;
    for (const double precision : *precisions) sum.ap += precision / kThresholds;
    sum.ap50 += precisions->front();
    ++classes;
  }
  if (classes == 0) return {};
  const auto count = static_cast<double>(classes);
  return {sum.ap / count, sum.ap50 / count};
}

Precision difference(const Matches& a, const Matches& b, std::span<const std::uint32_t> counts) {
  const detail::ImageCounts image_counts(counts);
  const Precision of_a = precision_of(a, image_counts);
  const Precision of_b = precision_of(b, image_counts);
  return {of_b.ap - of_a.ap, of_b.ap50 - of_a.ap50};
}

/// How often each image was drawn. A generator per resample: threads share none.
std::vector<std::uint32_t> draw(std::size_t images, std::uint64_t seed, std::size_t resample) {
  std::seed_seq seeds{seed & 0xffffffffu, seed >> 32, std::uint64_t{resample}};
  std::mt19937_64 engine(seeds);
  std::uniform_int_distribution<std::size_t> image(0, images - 1);
  std::vector<std::uint32_t> counts(images);
  for (std::size_t i = 0; i < images; ++i) ++counts[image(engine)];
  return counts;
}

/// The 2.5th and 97.5th percentile, by nearest rank.
Interval interval_of(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double fraction) {
    const double rank = std::ceil(fraction * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
  };
  return {at(0.025), at(0.975)};
}

void require_pair(const Matches& a, const Matches& b, const BootstrapOptions& options) {
  if (options.resamples == 0) fail(ErrorCode::bad_argument, "a bootstrap needs a resample");
  if (a.image_ids.empty()) fail(ErrorCode::bad_argument, "a bootstrap needs images");
  if (a.image_ids == b.image_ids && a.classes.size() == b.classes.size()) return;
  fail(ErrorCode::bad_argument,
       "a paired bootstrap compares models on the same images and classes: {} and {} images, {} "
       "and {} classes",
       a.image_ids.size(), b.image_ids.size(), a.classes.size(), b.classes.size());
}

}  // namespace

ApDifference bootstrap(const Matches& a, const Matches& b, const BootstrapOptions& options) {
  require_pair(a, b, options);
  const std::size_t images = a.image_ids.size();
  std::vector<double> ap(options.resamples);
  std::vector<double> ap50(options.resamples);
  tbb::parallel_for(std::size_t{0}, options.resamples, [&](std::size_t i) {
    const auto drawn = difference(a, b, draw(images, options.seed, i));
    ap[i] = drawn.ap;
    ap50[i] = drawn.ap50;
  });
  const Precision measured = difference(a, b, {});
  return {.ap = {measured.ap, interval_of(std::move(ap))},
          .ap50 = {measured.ap50, interval_of(std::move(ap50))},
          .images = images,
          .resamples = options.resamples};
}

}  // namespace yoloq::coco
