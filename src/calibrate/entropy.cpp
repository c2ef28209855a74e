// SPDX-License-Identifier: Apache-2.0
#include "calibrate/entropy.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace yoloq::calibrate {

namespace {

constexpr std::size_t kSide = Histogram::kBinsPerSide;

double entropy_term(double count) { return count > 0.0 ? count * std::log(count) : 0.0; }

/// Running sums over bins, so that a level costs the same however many bins it has.
class Divergence {
 public:
  /// @param clipped  values that are clipped at the near end already: they belong to bin 0 of P.
  Divergence(std::span<const double> counts, double clipped)
      : counts_(counts.begin(), counts.end()),
        clipped_(clipped),
        mass_(1),
        plogp_(1),
        occupied_(1) {
    for (const double count : counts_) {
      mass_.push_back(mass_.back() + count);
      plogp_.push_back(plogp_.back() + entropy_term(count));
      occupied_.push_back(occupied_.back() + (count > 0.0 ? 1.0 : 0.0));
    }
  }

  /// KL(P || Q) if the first `kept` bins are kept at 2^bits levels.
  double at(std::size_t kept, int bits) const {
    const std::size_t levels = std::size_t{1} << bits;
    const double inside = mass_[kept];
    const double outside = mass_.back() - inside;
    const double near = counts_.front();
    const double last = counts_[kept - 1];
    if ((last <= 0.0 && outside > 0.0) || (near <= 0.0 && clipped_ > 0.0) || inside <= 0.0) {
      return std::numeric_limits<double>::infinity();  // P where Q has nothing
    }
    double sum = plogp_[kept];  // sum P log P, then minus sum P log Q, in counts
    sum += entropy_term(last + outside) - entropy_term(last);
    sum += entropy_term(near + clipped_) - entropy_term(near);
    std::size_t begin = 0;
    for (std::size_t level = 1; level <= levels; ++level) {
      const std::size_t end = (level * kept + levels - 1) >> bits;
      const double count = mass_[end] - mass_[begin];
      if (count > 0.0) {
        double reference = count;
        if (begin == 0) reference += clipped_;
        if (end == kept) reference += outside;
        sum -= reference * std::log(count / (occupied_[end] - occupied_[begin]));
      }
      begin = end;
    }
    const double all = inside + outside + clipped_;
    return sum / all - std::log(all) + std::log(inside);
  }

  /// The number of bins, at least `fewest`, that diverges least; the smallest such number.
  std::size_t best(std::size_t fewest, int bits) const {
    std::size_t best = counts_.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t kept = std::max<std::size_t>(1, fewest); kept <= counts_.size(); ++kept) {
      const double divergence = at(kept, bits);
      if (divergence < least) {
        least = divergence;
        best = kept;
      }
    }
    return best;
  }

 private:
  std::vector<double> counts_;
  double clipped_;
  std::vector<double> mass_;
  std::vector<double> plogp_;
  std::vector<double> occupied_;
};

/// How many bins of one side reach from zero to its outermost value.
std::size_t used_bins(std::span<const double> side) {
  std::size_t used = side.size();
  while (used > 0 && side[used - 1] == 0.0) --used;
  return used;
}

/// One end of the range.
struct End {
  std::vector<double> counts;  ///< Bins on this side of zero, from zero outwards; those in use.
  std::size_t kept;            ///< How many of them lie inside the range.
};

/// Sets far.kept to the best number of bins, with near.kept as it is.
void search(End& far, const End& near, int bits) {
  std::vector<double> counts(near.counts.rend() - static_cast<std::ptrdiff_t>(near.kept),
                             near.counts.rend());
  counts.insert(counts.end(), far.counts.begin(), far.counts.end());
  double clipped = 0.0;
  for (std::size_t i = near.kept; i < near.counts.size(); ++i) clipped += near.counts[i];
  const std::size_t fewest = std::max(std::size_t{1} << bits, near.kept);
  const std::size_t best = Divergence(counts, clipped).best(fewest, bits);
  far.kept = best - std::min(best, near.kept);
}

/// Bins to a real value, at most the outermost one.
float end_value(std::size_t kept, const Histogram& histogram, float most) {
  const double end = static_cast<double>(kept) * static_cast<double>(histogram.bin_width());
  return static_cast<float>(std::min(end, static_cast<double>(std::max(most, 0.0f))));
}

}  // namespace

Range entropy_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const Histogram& histogram = statistics.histogram;
  const auto counts = histogram.counts();
  End low{{counts.rend() - kSide, counts.rend()}, 0};
  End high{{counts.begin() + kSide, counts.end()}, 0};
  if (options.scheme == Scheme::symmetric) {
    std::ranges::transform(high.counts, low.counts, high.counts.begin(), std::plus<>());
    high.counts[0] = high.counts[1];
    high.counts.resize(used_bins(high.counts));
    search(high, End{{}, 0}, options.bits - 1);
    const float a = end_value(high.kept, histogram, std::max(-statistics.min, statistics.max));
    return {-a, a};
  }
  high.counts[0] = high.counts[1];
  for (End* end : {&low, &high}) {
    end->counts.resize(used_bins(end->counts));
    end->kept = end->counts.size();
  }
  const bool low_first = low.kept > high.kept;
  search(low_first ? low : high, low_first ? high : low, options.bits);
  search(low_first ? high : low, low_first ? low : high, options.bits);
  return {-end_value(low.kept, histogram, -statistics.min),
          end_value(high.kept, histogram, statistics.max)};
}

}  // namespace yoloq::calibrate
