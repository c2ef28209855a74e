// SPDX-License-Identifier: Apache-2.0
#include "calibrate/detail/scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "calibrate/detail/bins.h"

namespace yoloq::calibrate::detail {

namespace {

/// Asks for values that are needed soon. Counting takes about as long as they take to arrive.
void prefetch(std::span<const float> values) {
  constexpr std::size_t kCacheLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < values.size(); i += kCacheLine) __builtin_prefetch(&values[i]);
}

double total(const Lanes& lanes) {
  return std::accumulate(lanes.sum.begin(), lanes.sum.end(), 0.0);
}

}  // namespace

Scan::Scan(const Kernels& kernels)
    : kernels_(&kernels), counters_(Histogram::kBins * kCopies), counts_(Histogram::kBins) {}

void Scan::begin(int exponent) {
  // finish() leaves the counters at zero; a scan that was given up does not.
  if (min_ <= max_) std::ranges::fill(counters_, 0);
  exponent_ = exponent;
  min_ = std::numeric_limits<float>::infinity();
  max_ = -min_;
  sums_.clear();
}

bool Scan::add(std::span<const float> values) {
  Lanes lanes;
  while (!values.empty()) {
    const auto chunk = values.first(std::min(kChunk, values.size()));
    values = values.subspan(chunk.size());
    kernels_->scan(chunk, lanes);
    if (!std::isfinite(total(lanes))) return false;
    take(chunk, lanes);
  }
  sums_.push_back(total(lanes));
  return true;
}

// add() gives place p of a channel to lane p % kLanes. With channels last that is the sum number
// i % (kLanes * C) for element i = p * C + c: the sums run along with the values.
bool Scan::add_channels_last(std::span<const float> values, std::size_t channels) {
  const std::size_t period = kLanes * channels;
  lane_sums_.assign(period, 0.0);
  Lanes lanes;
  std::size_t offset = 0;
  while (!values.empty()) {
    auto chunk = values.first(std::min(kChunk, values.size()));
    values = values.subspan(chunk.size());
    prefetch(values.first(std::min(kChunk, values.size())));
    if (!kernels_->bound(chunk, lanes)) return false;
    take(chunk, lanes);
    while (!chunk.empty()) {
      const auto run = chunk.first(std::min(period - offset, chunk.size()));
      kernels_->add(run, lane_sums_.data() + offset);
      chunk = chunk.subspan(run.size());
      offset = (offset + run.size()) % period;
    }
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    double sum = 0.0;
    for (std::size_t i = channel; i < period; i += channels) sum += lane_sums_[i];
    sums_.push_back(sum);
  }
  return true;
}

void Scan::take(std::span<const float> chunk, const Lanes& lanes) {
  widen(lanes);
  count(chunk);
}

void Scan::widen(const Lanes& lanes) {
  min_ = std::min(min_, *std::ranges::min_element(lanes.low));
  max_ = std::max(max_, *std::ranges::max_element(lanes.high));
  const int needed = Histogram::exponent_for(std::max(-min_, max_));
  if (needed <= exponent_) return;
  coarsen<kCopies>(counters_, needed - exponent_);
  exponent_ = needed;
}

void Scan::count(std::span<const float> values) {
  static_assert(kCopies == 4 && kChunk % kCopies == 0);
  kernels_->bin(values, std::ldexp(1.0f, -exponent_), bins_.data());
  std::uint32_t* const counters = counters_.data();
  const std::size_t whole = values.size() / kCopies * kCopies;
  for (std::size_t i = 0; i < whole; i += kCopies) {
    std::uint64_t four = 0;
    std::memcpy(&four, bins_.data() + i, sizeof four);
    ++counters[(four & 0xffff) * kCopies];
    ++counters[(four >> 16 & 0xffff) * kCopies + 1];
    ++counters[(four >> 32 & 0xffff) * kCopies + 2];
    ++counters[(four >> 48) * kCopies + 3];
  }
  for (std::size_t i = whole; i < values.size(); ++i) ++counters[bins_[i] * kCopies];
}

Scanned Scan::finish() {
  if (min_ > max_) return {};
  // A zero may have been counted on either side, whatever the sign the extremes show.
  const std::size_t first =
      std::min(Histogram::bin_of(min_, exponent_), Histogram::kBinsPerSide - 1);
  const std::size_t last = std::max(Histogram::bin_of(max_, exponent_), Histogram::kBinsPerSide);
  for (std::size_t bin = first; bin <= last; ++bin) {
    const auto copies = std::span(counters_).subspan(bin * kCopies, kCopies);
    counts_[bin] = std::accumulate(copies.begin(), copies.end(), std::uint64_t{0});
    std::ranges::fill(copies, 0);
  }
  const Scanned scanned = {.min = min_ + 0.0f,
                           .max = max_ + 0.0f,
                           .exponent = exponent_,
                           .first_bin = first,
                           .counts = std::span(counts_).subspan(first, last + 1 - first)};
  min_ = std::numeric_limits<float>::infinity();
  max_ = -min_;
  return scanned;
}

}  // namespace yoloq::calibrate::detail
