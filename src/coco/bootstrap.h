// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "coco/match.h"

namespace yoloq::coco {

/// What would have been measured on other images of the same kind, 19 times of 20.
struct Interval {
  double low = 0.0;
  double high = 0.0;

  /// Whether the data leave the sign of a difference open.
  bool holds_zero() const { return low <= 0.0 && high >= 0.0; }
};

struct Difference {
  double value = 0.0;  ///< On the images as they are.
  Interval interval;   ///< 95 %.
};

/// How much better `b` is than `a`.
struct ApDifference {
  Difference ap;
  Difference ap50;
  std::size_t images = 0;
  std::size_t resamples = 0;
};

struct BootstrapOptions {
  std::size_t resamples = 1000;
  std::uint64_t seed = 0;
};

/// The paired bootstrap over images: both models are evaluated on the same resamples, so that what
/// is hard or easy for both cancels out.
///
/// Draws images with replacement and takes the 2.5th and 97.5th percentile of the differences. Uses
/// all threads; the result depends on the seed alone. Resamples are accumulated from verdicts that
/// are there already: 1000 of 340 images take seconds.
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap", the percentile interval.
///
/// @throws Error(bad_argument) unless both were matched on the same images, at least one, and there
///     is at least one resample.
ApDifference bootstrap(const Matches& a, const Matches& b, const BootstrapOptions& options = {});

}  // namespace yoloq::coco
