// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/exact_sum.h"
#include "calibrate/histogram.h"

namespace yoloq::calibrate {

/// All that is kept of one activation tensor, over all images. About 64 kB, however many those are.
///
/// Every calibrator is a function of this. Each part is exact, so that equal images give equal
/// bytes in any order, batch size and number of threads.
struct TensorStatistics {
  float min = 0.0f;  ///< Smallest value seen; not 0 in particular. Never -0.0.
  float max = 0.0f;
  std::uint64_t count = 0;             ///< Values seen; all others are meaningless at 0.
  Histogram histogram;                 ///< Of those values.
  std::vector<ExactSum> channel_sums;  ///< [C], sum of all values of each channel.

  /// The mean of each channel [C], which bias correction needs: count / C values make each.
  std::vector<double> channel_means() const;

  friend bool operator==(const TensorStatistics&, const TensorStatistics&) = default;
};

/// The statistics of a Concat along channels: the union of the values, the channels in order.
///
/// Same bytes as if the Concat itself had been observed.
///
/// @throws Error(bad_argument) if there is nothing to merge, or the channels of the parts do not
/// have equally many values each.
TensorStatistics merged(std::span<const TensorStatistics* const> parts);

/// The statistics of a nearest Resize by a whole number: each value seen `factor` times as often
/// (4 for twice the height and width).
///
/// Same bytes as if its output had been observed, up to the rounding of channel sums to double that
/// observing does once per image.
///
/// @throws Error(bad_argument) if factor is 0 or a count would not fit 64 bits.
TensorStatistics repeated(const TensorStatistics& statistics, std::uint32_t factor);

/// Adds what was seen of the same tensor on other images.
///
/// Same bytes as if one pass had seen all of them.
///
/// @throws Error(bad_argument) if the number of channels differs.
void add_images(TensorStatistics& statistics, const TensorStatistics& more);

}  // namespace yoloq::calibrate
