// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include "calibrate/calibrator.h"
#include "calibrate/entropy.h"
#include "calibrate/min_max.h"
#include "calibrate/mse.h"
#include "calibrate/percentile.h"
#include "core/error.h"

namespace yoloq::calibrate {

namespace {

constexpr CalibratorInfo kCalibrators[] = {
    {"min-max", "the smallest and largest value seen",
     "Jacob et al., arXiv:1712.05877 (without its moving average)", min_max_range},
    {"percentile",
     "cuts off the largest magnitudes: --percentile 99.99 keeps 99.99 % of the values",
     "Wu et al., arXiv:2004.09602", percentile_range},
    {"entropy", "the threshold with the least Kullback-Leibler divergence after quantization",
     "Migacz, 8-bit inference with TensorRT, GTC 2017; Wu et al., arXiv:2004.09602", entropy_range},
    {"mse", "the least mean squared error of quantization, rounding and clipping together",
     "searched exactly on the histogram; the criterion is that of Banner et al., arXiv:1810.05723",
     mse_range},
};

/// A runtime's sigmoid may be off by some units in the last place.
constexpr float kBoundSlack = 0.01f;

void require_options(const TensorStatistics& statistics, const RangeOptions& options) {
  if (statistics.count == 0) {
    fail(ErrorCode::bad_state, "no value was observed, so there is no range: calibrate first");
  }
  if (!(options.percentile > 50.0 && options.percentile <= 100.0)) {
    fail(ErrorCode::bad_argument,
         "percentile {}; expected more than 50 and at most 100, e.g. 99.99", options.percentile);
  }
  if (options.bits < 2 || options.bits > 16) {
    fail(ErrorCode::bad_argument, "codes of {} bits; expected 2 to 16", options.bits);
  }
  if (!options.known_low || options.scheme == Scheme::symmetric) return;
  const float bound = *options.known_low;
  if (std::isfinite(bound) && bound <= 0 && statistics.min >= bound * (1 + kBoundSlack)) return;
  fail(
      ErrorCode::bad_argument,
      "the tensor is said to stay above {}, but {} was seen; expected a bound of at most 0 that it "
      "respects",
      bound, statistics.min);
}

}  // namespace

std::span<const CalibratorInfo> calibrators() { return kCalibrators; }

const CalibratorInfo& find_calibrator(std::string_view name) {
  const auto found = std::ranges::find(kCalibrators, name, &CalibratorInfo::name);
  if (found != std::end(kCalibrators)) return *found;
  std::string known;
  for (const CalibratorInfo& info : kCalibrators) {
    known += (known.empty() ? "" : ", ") + std::string(info.name);
  }
  fail(ErrorCode::bad_argument, "no calibrator '{}'; known: {}", name, known);
}

Range compute_range(const TensorStatistics& statistics, std::string_view calibrator,
                    const RangeOptions& options) {
  const CalibratorInfo& info = find_calibrator(calibrator);
  require_options(statistics, options);
  if (statistics.histogram.exponent() == Histogram::kSmallestExponent) return {};
  Range range = info.compute(statistics, options);
  if (options.scheme == Scheme::asymmetric && options.known_low) range.low = *options.known_low;
  return range;
}

}  // namespace yoloq::calibrate
