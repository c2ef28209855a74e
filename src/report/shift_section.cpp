// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/detail/words.h"
#include "report/pairs.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

constexpr double kLeastScore = 0.1;
constexpr double kShiftWidth = 0.01;  ///< Of a column of the histogram.
constexpr long kShiftColumns = 30;    ///< To each side; what lies beyond is counted in the last.
constexpr std::size_t kScoreBins = 10;

/// How the scores of one model differ from the first one's.
struct Shift {
  std::array<std::size_t, 2 * kShiftColumns + 1> columns{};
  std::array<double, kScoreBins> sums{};  ///< By the mean of both scores.
  std::array<std::size_t, kScoreBins> counts{};
  std::size_t pairs = 0;
  std::size_t lost = 0;  ///< Only in the first model.
  std::size_t won = 0;   ///< Only in the other.
  double sum = 0;

  void add(const Pair& pair) {
    if (!pair.second) {
      ++lost;
    } else if (!pair.first) {
      ++won;
    } else {
      add((pair.first_score() + pair.second_score()) / 2, pair.second_score() - pair.first_score());
    }
  }

 private:
  void add(double score, double shift) {
    const long column = std::clamp(std::lround(shift / kShiftWidth), -kShiftColumns, kShiftColumns);
    ++columns[static_cast<std::size_t>(column + kShiftColumns)];
    ++pairs;
    sum += shift;
    // Below, only those pairs take part whose other score is high: their mean says nothing.
    if (score < kLeastScore) return;
    const auto bin = std::min(kScoreBins - 1, static_cast<std::size_t>(score * kScoreBins));
    sums[bin] += shift;
    ++counts[bin];
  }
};

Shift shift_of(const EvaluatedModel& first, const EvaluatedModel& other) {
  Shift shift;
  for (const auto& [image, pairs] : pair_up(*first.detections, *other.detections, kLeastScore)) {
    for (const Pair& pair : pairs) shift.add(pair);
  }
  return shift;
}

Series histogram_of(const Shift& shift, const std::string& name) {
  Series series{.name = name, .mark = Mark::steps};
  for (std::size_t i = 0; i < shift.columns.size(); ++i) {
    const double middle = (static_cast<double>(i) - double{kShiftColumns}) * kShiftWidth;
    series.add(middle, static_cast<double>(shift.columns[i]));
  }
  return series;
}

Series means_of(const Shift& shift, const std::string& name) {
  Series series{.name = name, .mark = Mark::linked_points};
  for (std::size_t i = 0; i < kScoreBins; ++i) {
    if (shift.counts[i] == 0) continue;
    series.add((static_cast<double>(i) + 0.5) / kScoreBins,
               shift.sums[i] / static_cast<double>(shift.counts[i]));
  }
  return series;
}

/// A range around 0 that holds all points.
std::pair<double, double> around_zero(const std::vector<Series>& series) {
  constexpr double kLeast = 0.02;
  constexpr double kMargin = 1.15;
  double most = kLeast;
  for (const Series& each : series) {
    for (const double y : each.y) most = std::max(most, std::abs(y) * kMargin);
  }
  return {-most, most};
}

}  // namespace

Section shift_section(const RunFolder& run) {
  Section section{.title = "Shift of confidence"};
  const Evaluation* evaluation = run.main_evaluation();
  Chart histogram;
  Chart means;
  Table table{.header = {"model", "same objects", "mean shift", "only in the first", "only here"}};
  const bool has_first = evaluation != nullptr && evaluation->models.front().detections;
  for (std::size_t i = 1; has_first && i < evaluation->models.size(); ++i) {
    const EvaluatedModel& other = evaluation->models[i];
    if (!other.detections) continue;
    const Shift shift = shift_of(evaluation->models.front(), other);
    const double mean = shift.pairs == 0 ? 0 : shift.sum / static_cast<double>(shift.pairs);
    table.rows.push_back({other.name, std::to_string(shift.pairs), fmt::format("{:+.4f}", mean),
                          std::to_string(shift.lost), std::to_string(shift.won)});
    if (shift.pairs == 0) continue;
    histogram.series.push_back(histogram_of(shift, other.name));
    means.series.push_back(means_of(shift, other.name));
  }
  if (table.rows.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no detections of two models in the folder", detail::kEvalCommand));
    return section;
  }
  means.y_range = around_zero(means.series);
  const std::string first = evaluation->models.front().name;
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(Text{fmt::format(
      "Objects that one of the models finds with a score of {} or more, in the other by an overlap "
      "of {} or more with a box of the same class of any score.",
      kLeastScore, kSameObject)});
  if (histogram.series.empty()) return section;
  section.blocks.emplace_back(
      Figure{.plot = {.title = fmt::format("Score minus that of {}", first),
                      .x_label = "shift of the score",
                      .y_label = "objects",
                      .chart = std::move(histogram)},
             .caption = fmt::format("The outermost columns hold all shifts beyond {:.2f}.",
                                    kShiftColumns * kShiftWidth)});
  const bool has_means =
      std::ranges::any_of(means.series, [](const Series& series) { return !series.x.empty(); });
  if (!has_means) return section;
  section.blocks.emplace_back(Figure{.plot = {.title = "Mean shift by score",
                                              .x_label = "mean of both scores",
                                              .y_label = "mean shift",
                                              .chart = std::move(means)}});
  return section;
}

}  // namespace yoloq::report
