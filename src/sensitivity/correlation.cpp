// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/correlation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"

namespace yoloq::sensitivity {

namespace {

constexpr double kNormal95 = 1.959963984540054;
constexpr std::size_t kTop = 4;
constexpr std::size_t kFewest = 4;    // Of which a correlation is given.
constexpr std::size_t kFewestZ = 10;  // Of which Fisher's z is near enough to normal.

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double shared = static_cast<double>(first + last) / 2;
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = shared;
    first = last + 1;
  }
  return ranks;
}

/// Costs (or one draw of them) of both profiles, layer by layer, by id.
struct Pairs {
  std::vector<double> candidate;
  std::vector<double> reference;
};

std::map<int, const LayerCost*> by_id(const Profile& profile) {
  std::map<int, const LayerCost*> rows;
  for (const LayerCost& layer : profile.layers) rows[layer.id] = &layer;
  return rows;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + std::ssize(values) / 2);
  return values[values.size() / 2];
}

/// The correlations of each two neighbouring draws.
std::vector<double> correlations_of_draws(const Profile& profile) {
  const auto draw = [&](std::size_t index) {
    std::vector<double> costs;
    for (const LayerCost& layer : profile.layers) costs.push_back(layer.draws[index]);
    return costs;
  };
  std::vector<double> correlations;
  const std::size_t draws = profile.layers.front().draws.size();
  for (std::size_t i = 0; i + 1 < draws; i += 2) {
    correlations.push_back(spearman(draw(i), draw(i + 1)));
  }
  return correlations;
}

void compare_significant(const std::map<int, const LayerCost*>& candidate,
                         const std::map<int, const LayerCost*>& reference, Agreement& agreement) {
  Pairs pairs;
  for (const auto& [id, layer] : reference) {
    if (!is_significant(*layer)) continue;
    pairs.candidate.push_back(candidate.at(id)->cost);
    pairs.reference.push_back(layer->cost);
  }
  agreement.significant = pairs.reference.size();
  if (agreement.significant < kFewest) return;
  agreement.significant_correlation = spearman(pairs.candidate, pairs.reference);
  agreement.significant_interval =
      spearman_interval(agreement.significant_correlation, agreement.significant);
}

void compare_top(const Profile& candidate, const Profile& reference, Agreement& agreement) {
  for (const LayerCost& layer :
       std::span(candidate.layers).first(std::min(kTop, candidate.layers.size()))) {
    const auto found = std::ranges::find(reference.layers, layer.id, &LayerCost::id);
    agreement.top.push_back(layer.name);
    agreement.top_places.push_back(static_cast<std::size_t>(found - reference.layers.begin()) + 1);
  }
}

}  // namespace

double spearman(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 3) {
    fail(ErrorCode::bad_argument, "{} and {} values have no rank correlation", a.size(), b.size());
  }
  const std::vector<double> x = ranks_of(a);
  const std::vector<double> y = ranks_of(b);
  const double mean = static_cast<double>(a.size() - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  if (xx > 0 && yy > 0) return xy / std::sqrt(xx * yy);
  fail(ErrorCode::bad_argument, "all values are the same: they have no rank correlation");
}

Interval spearman_interval(double correlation, std::size_t count) {
  if (count < kFewestZ) return {-1, 1};
  const double bounded = std::clamp(correlation, -1 + 1e-12, 1 - 1e-12);
  const double error =
      std::sqrt((1 + bounded * bounded / 2) / (static_cast<double>(count) - 3)) * kNormal95;
  return {std::tanh(std::atanh(bounded) - error), std::tanh(std::atanh(bounded) + error)};
}

double repeatability(double resampled_correlation) {
  if (resampled_correlation <= 0.5) return 0;
  return (2 * resampled_correlation - 1) / resampled_correlation;
}

Agreement compare(const Profile& candidate, const Profile& reference) {
  if (candidate.model_hash != reference.model_hash) {
    fail(ErrorCode::bad_argument, "'{}' and '{}' are different models: nothing to compare",
         candidate.model, reference.model);
  }
  const auto a = by_id(candidate);
  const auto b = by_id(reference);
  const auto same_id = [](const auto& x, const auto& y) { return x.first == y.first; };
  if (!std::ranges::equal(a, b, same_id)) {
    fail(ErrorCode::bad_argument, "the two files list different layers of '{}'", candidate.model);
  }
  Pairs pairs;
  for (const auto& [id, layer] : b) {
    pairs.candidate.push_back(a.at(id)->cost);
    pairs.reference.push_back(layer->cost);
  }
  Agreement agreement;
  agreement.correlation = spearman(pairs.candidate, pairs.reference);
  agreement.interval = spearman_interval(agreement.correlation, pairs.reference.size());
  compare_significant(a, b, agreement);
  compare_top(candidate, reference, agreement);
  const auto repeated = correlations_of_draws(reference);
  if (!repeated.empty()) agreement.repeatability = repeatability(median(repeated));
  return agreement;
}

}  // namespace yoloq::sensitivity
