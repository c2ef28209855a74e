// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sensitivity/profile.h"

namespace yoloq::sensitivity {

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs.
///
/// @throws Error(bad_argument) if the two differ in number, are fewer than 3, or one is constant.
double spearman(std::span<const double> a, std::span<const double> b);

/// The 95 % interval of a Spearman correlation over `count` pairs, by Fisher's z; -1 to 1 for fewer
/// than 10, which say nothing.
///
/// Source: Bonett and Wright, "Sample size requirements for estimating Pearson, Kendall and
/// Spearman correlations", Psychometrika 65 (2000): variance of z is (1 + r^2 / 2) / (count - 3).
Interval spearman_interval(double correlation, std::size_t count);

/// The correlation of costs measured on two independent sets of images, from that of costs measured
/// on two resamplings of one set. Those share what is luck of the set: with signal S and noise N
///
///     r = (S + N) / (S + 2 N)     so that     S / (S + N) = (2 r - 1) / r
///
/// and two resamplings of pure noise correlate at 0.5.
double repeatability(double resampled_correlation);

/// How well two profiles of one model agree.
struct Agreement {
  double correlation = 0;  ///< Over all layers.
  Interval interval;
  std::size_t significant = 0;         ///< Layers whose cost in the reference is above its noise.
  double significant_correlation = 0;  ///< Over these; 0 where they are fewer than 4.
  Interval significant_interval;
  /// How the reference would correlate with itself on other images, estimated from its draws: 0
  /// says that its order is luck. Empty without draws.
  std::optional<double> repeatability;
  std::vector<std::string> top;         ///< The first four of the candidate.
  std::vector<std::size_t> top_places;  ///< Where the reference has them, counted from 1.
};

/// Compares `candidate` with `reference`, layer by layer.
///
/// @throws Error(bad_argument) if they are of different models.
Agreement compare(const Profile& candidate, const Profile& reference);

}  // namespace yoloq::sensitivity
