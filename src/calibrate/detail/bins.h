// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "calibrate/histogram.h"

namespace yoloq::calibrate::detail {

/// The bin that takes over the values of `bin` when the width doubles `shift` times.
///
/// Bin 4096 + m and bin 4095 - m hold magnitudes from m w on; m becomes m >> shift.
inline std::size_t coarser_bin(std::size_t bin, int shift) {
  constexpr std::size_t kSide = Histogram::kBinsPerSide;
  shift = std::min(shift, 31);  // 2^31 is more than all bins: they meet next to zero
  return bin >= kSide ? kSide + ((bin - kSide) >> shift) : kSide - 1 - ((kSide - 1 - bin) >> shift);
}

/// Moves counts to the bins that are 2^shift times as wide; `Copies` counters stand side by side in
/// each bin.
template <std::size_t Copies, typename Count>
void coarsen(std::span<Count> counts, int shift) {
  if (shift == 0) return;
  constexpr std::size_t kSide = Histogram::kBinsPerSide;
  const auto move = [&](std::size_t from) {
    const std::size_t to = coarser_bin(from, shift);
    for (std::size_t copy = 0; copy < Copies; ++copy) {
      const Count moved = std::exchange(counts[from * Copies + copy], Count{0});
      counts[to * Copies + copy] += moved;
    }
  };
  // From zero outwards, so that no count is moved twice.
  for (std::size_t m = 0; m < kSide; ++m) {
    move(kSide + m);
    move(kSide - 1 - m);
  }
}

template <std::size_t Copies, typename Container>
void coarsen(Container& counts, int shift) {
  coarsen<Copies>(std::span(counts), shift);
}

}  // namespace yoloq::calibrate::detail
