// SPDX-License-Identifier: Apache-2.0
#include "calibrate/mse.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "calibrate/detail/moments.h"

namespace yoloq::calibrate {

namespace {

using detail::CumulativeMoments;
using detail::Moments;

/// Codes 0 ... most, one step of `scale` apart; real 0 has code `zero_point`.
struct Grid {
  double scale = 0.0;
  std::int64_t zero_point = 0;
  double error = std::numeric_limits<double>::infinity();  ///< Sum of squared errors.
};

/// Errors below this part of the sum of squares (130 dB) are rounding errors of the computation,
/// and count as equal.
constexpr double kNoise = 1e-13;

/// Sums of squared errors over the values of one tensor.
class ErrorModel {
 public:
  ErrorModel(const TensorStatistics& statistics, int bits)
      : moments_(statistics), most_((std::int64_t{1} << bits) - 1) {}

  /// The zero point from `first` to `last` with the least error at this scale.
  ///
  /// What a value between two codes loses does not depend on the zero point, so the cells around
  /// all codes that some zero point offers are summed up once; each zero point then takes its
  /// window out of these sums and adds what is clipped on either side.
  Grid best(double scale, std::int64_t first, std::int64_t last) const {
    const std::int64_t lowest = -last;
    const std::size_t codes = static_cast<std::size_t>(most_ - first - lowest) + 1;
    std::vector<Moments> edges(codes + 1);  // edges[i]: all values below code lowest + i - 1/2
    std::vector<double> inner(codes + 1);   // inner[i]: error of the cells of the codes before i
    const auto code = [&](std::size_t i) {
      return static_cast<double>(lowest + static_cast<std::int64_t>(i)) * scale;
    };
    edges[0] = moments_.below(code(0) - scale / 2);
    for (std::size_t i = 0; i < codes; ++i) {
      edges[i + 1] = moments_.below(code(i) + scale / 2);
      inner[i + 1] = inner[i] + (edges[i + 1] - edges[i]).squared_distance(code(i));
    }

    Grid best;
    for (std::int64_t zero_point = first; zero_point <= last; ++zero_point) {
      const auto low = static_cast<std::size_t>(last - zero_point);
      const std::size_t high = low + static_cast<std::size_t>(most_);
      const double error = edges[low + 1].squared_distance(code(low)) + inner[high] -
                           inner[low + 1] +
                           (moments_.all() - edges[high]).squared_distance(code(high));
      if (error < best.error) best = {scale, zero_point, error};
    }
    best.error = std::max(best.error, kNoise * moments_.all().squares);
    return best;
  }

  std::int64_t most() const { return most_; }

 private:
  CumulativeMoments moments_;
  std::int64_t most_;
};

/// The best grid of a given scale.
using Candidate = std::function<Grid(double scale)>;

/// Of the scales start, start / ratio, ..., start / ratio^steps: each one's best grid.
std::vector<Grid> sweep(const Candidate& candidate, double start, double ratio, int steps) {
  std::vector<Grid> grids;
  grids.reserve(static_cast<std::size_t>(steps) + 1);
  for (int i = 0; i <= steps; ++i) grids.push_back(candidate(start / std::pow(ratio, i)));
  return grids;
}

/// The best of the scales from `largest` down: coarsely first, then finer around the best few.
Grid search(const Candidate& candidate, double largest) {
  constexpr int kOctaves = 12;  // down to a threshold of one bin
  constexpr int kStepsPerOctave = 16;
  constexpr int kStarts = 3;  // the error has few minima, but not always one
  constexpr int kRefinements = 2;
  constexpr int kFinerSteps = 16;

  const double coarse = std::exp2(1.0 / kStepsPerOctave);
  std::vector<Grid> starts = sweep(candidate, largest, coarse, kOctaves * kStepsPerOctave);
  std::ranges::stable_sort(starts, {}, &Grid::error);  // stable: the largest of equals is first
  Grid best = starts.front();
  for (Grid around : std::span(starts).first(kStarts)) {
    double ratio = coarse;
    for (int refinement = 0; refinement < kRefinements; ++refinement) {
      const double finer = std::pow(ratio, 2.0 / kFinerSteps);
      const auto grids =
          sweep(candidate, std::min(largest, around.scale * ratio), finer, kFinerSteps);
      const Grid& found = *std::ranges::min_element(grids, {}, &Grid::error);
      if (found.error < around.error) around = found;
      ratio = finer;
    }
    if (around.error < best.error) best = around;
  }
  return best;
}

/// An end of the range; a product of doubles may pass the largest float by a rounding.
float to_end(double value) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kMost, kMost)) + 0.0f;
}

Range symmetric_range(const ErrorModel& model, double largest) {
  const std::int64_t zero_point = (model.most() + 1) / 2;
  const auto steps = static_cast<double>(zero_point - 1);
  const auto candidate = [&](double scale) { return model.best(scale, zero_point, zero_point); };
  const float a = to_end(search(candidate, largest / steps).scale * steps);
  return {-a, a};
}

Range asymmetric_range(const ErrorModel& model, double low, double high) {
  const auto candidate = [&](double scale) { return model.best(scale, 0, model.most()); };
  // With values on both sides, rounding the zero point may take up to one more step.
  const std::int64_t steps = low < 0.0 && high > 0.0 ? model.most() - 1 : model.most();
  const Grid grid = search(candidate, (high - low) / static_cast<double>(steps));
  return {to_end(-grid.scale * static_cast<double>(grid.zero_point)),
          to_end(grid.scale * static_cast<double>(model.most() - grid.zero_point))};
}

/// The low end is given; zero points are what rounding makes of it.
Range range_above(const ErrorModel& model, double low, double high) {
  const auto most = static_cast<double>(model.most());
  const auto candidate = [&](double scale) {
    const double zero_point = std::nearbyint(-low / scale);
    if (low + scale * most < 0.0 || zero_point > most) return Grid{.scale = scale};
    const auto code = static_cast<std::int64_t>(zero_point);
    return model.best(scale, code, code);
  };
  return {to_end(low), to_end(low + search(candidate, (high - low) / most).scale * most)};
}

}  // namespace

Range mse_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const ErrorModel model(statistics, options.bits);
  const double low = std::min(0.0, static_cast<double>(statistics.min));
  const double high = std::max(0.0, static_cast<double>(statistics.max));
  if (options.scheme == Scheme::symmetric) return symmetric_range(model, std::max(-low, high));
  if (!options.known_low) return asymmetric_range(model, low, high);
  const double known_low = static_cast<double>(*options.known_low);
  return high > 0.0 ? range_above(model, known_low, high) : Range{*options.known_low, 0.0f};
}

double mean_squared_error(const TensorStatistics& statistics, double scale, std::int64_t zero_point,
                          int bits) {
  const ErrorModel model(statistics, bits);
  return model.best(scale, zero_point, zero_point).error / static_cast<double>(statistics.count);
}

}  // namespace yoloq::calibrate
