// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "quantize/scale.h"
#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

using quantize::ActivationPlan;

constexpr std::size_t kShown = 6;
constexpr std::size_t kColumns = 160;

/// The real values of the first and the last code.
std::pair<double, double> thresholds_of(const quantize::Quantizer& quantizer) {
  const auto [low, high] = quantize::code_limits(quantizer.dtype);
  return {double{quantizer.scale} * (low - quantizer.zero_point),
          double{quantizer.scale} * (high - quantizer.zero_point)};
}

/// The middle of a bin of calibrate::Histogram.
double middle_of(const calibrate::Histogram& histogram, std::size_t bin) {
  const auto place = static_cast<double>(bin) - calibrate::Histogram::kBinsPerSide;
  return (place + 0.5) * double{histogram.bin_width()};
}

/// A tensor with how well its values survive rounding, by its histogram.
struct RangeRow {
  const ActivationPlan* activation = nullptr;
  const calibrate::TensorStatistics* statistics = nullptr;
  double sqnr_db = 0;  ///< Signal over rounding noise.
  double clipped = 0;  ///< Part of the values more than half a step beyond the thresholds.
};

RangeRow measure_range(const ActivationPlan& activation,
                       const calibrate::TensorStatistics& statistics) {
  const auto [low, high] = thresholds_of(activation.quantizer);
  const double half_step = double{activation.quantizer.scale} / 2;
  double signal = 0;
  double noise = 0;
  double beyond = 0;
  const auto counts = statistics.histogram.counts();
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    if (counts[bin] == 0) continue;
    const auto count = static_cast<double>(counts[bin]);
    const double value = middle_of(statistics.histogram, bin);
    const double rounded = quantize::fake_quantize(static_cast<float>(value), activation.quantizer);
    signal += count * value * value;
    noise += count * (value - rounded) * (value - rounded);
    beyond += value < low - half_step || value > high + half_step ? count : 0;
  }
  return {.activation = &activation,
          .statistics = &statistics,
          .sqnr_db = noise > 0 ? 10 * std::log10(signal / noise) : INFINITY,
          .clipped = beyond / static_cast<double>(statistics.count)};
}

/// The layers that read a tensor; of "model.1.conv:0" only the name.
std::vector<std::string> readers_of(const ActivationPlan& activation) {
  std::vector<std::string> layers;
  for (const std::string& reader : activation.readers) {
    layers.push_back(reader.substr(0, reader.rfind(':')));
  }
  return layers;
}

/// Each layer's place in the sensitivity profile; empty without one.
std::map<std::string, std::size_t> places_of(const RunFolder& run) {
  std::map<std::string, std::size_t> places;
  if (run.profiles.empty()) return places;
  const auto& layers = run.profiles.front().value.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) places.emplace(layers[i].name, i);
  return places;
}

/// Those first whose most sensitive reader is more sensitive; without a profile, those with most
/// noise.
void sort_worst_first(std::vector<RangeRow>& rows, const RunFolder& run) {
  const auto places = places_of(run);
  const auto place = [&](const RangeRow& row) {
    std::size_t best = places.size();
    for (const std::string& layer : readers_of(*row.activation)) {
      const auto found = places.find(layer);
      if (found != places.end()) best = std::min(best, found->second);
    }
    return best;
  };
  std::ranges::stable_sort(rows, {}, &RangeRow::sqnr_db);
  std::ranges::stable_sort(rows, {}, place);
}

/// Counts in columns of as many bins as makes kColumns of them.
Chart histogram_chart(const RangeRow& row) {
  const calibrate::Histogram& histogram = row.statistics->histogram;
  const auto counts = histogram.counts();
  const auto filled = [](std::uint64_t count) { return count > 0; };
  const auto first =
      static_cast<std::size_t>(std::ranges::find_if(counts, filled) - counts.begin());
  std::size_t last = counts.size();
  while (last > first && counts[last - 1] == 0) --last;
  const std::size_t group = std::max<std::size_t>(1, (last - first + kColumns - 1) / kColumns);
  Series series{.name = "values", .mark = Mark::columns};
  for (std::size_t bin = first; bin < last; bin += group) {
    const std::size_t end = std::min(last, bin + group);
    std::uint64_t sum = 0;
    for (std::size_t i = bin; i < end; ++i) sum += counts[i];
    if (sum == 0) continue;  // There is no logarithm of it.
    series.add((middle_of(histogram, bin) + middle_of(histogram, end - 1)) / 2,
               static_cast<double>(sum));
  }
  const auto [low, high] = thresholds_of(row.activation->quantizer);
  const double margin = 0.02 * (high - low);
  const double from = std::min<double>(low, row.statistics->min) - margin;
  const double to = std::max<double>(high, row.statistics->max) + margin;
  return {.series = {std::move(series)},
          .lines = {{low, fmt::format("lowest code {:.4g}", low)},
                    {high, fmt::format("highest code {:.4g}", high)}},
          .log_y = true,
          .column_width = static_cast<double>(group) * double{histogram.bin_width()},
          .x_range = std::pair(from, to)};
}

void show_ranges(const Named<quantize::Plan>& plan, const Named<calibrate::Ranges>& ranges,
                 const RunFolder& run, Section& section) {
  std::vector<RangeRow> rows;
  for (const ActivationPlan& activation : plan.value.activations) {
    const auto found = ranges.value.tensors.find(activation.tensor);
    if (!activation.on || found == ranges.value.tensors.end()) continue;
    if (found->second.count > 0) rows.push_back(measure_range(activation, found->second));
  }
  sort_worst_first(rows, run);
  section.blocks.emplace_back(Text{fmt::format(
      "{} of {} activations of {} have values in {}; {} first. Counts are on a logarithmic scale; "
      "what lies beyond a threshold is set to it.",
      rows.size(), plan.value.activations.size(), plan.file, ranges.file,
      run.profiles.empty() ? "the noisiest" : "inputs of the most sensitive layers")});
  Table table{.header = {"tensor", "read by", "min", "max", "lowest code", "highest code",
                         "clipped", "SQNR dB"},
              .folded = "All tensors"};
  for (const RangeRow& row : rows) {
    const auto [low, high] = thresholds_of(row.activation->quantizer);
    const std::string readers = fmt::format("{}", fmt::join(readers_of(*row.activation), ", "));
    if (table.rows.size() < kShown) {
      section.blocks.emplace_back(
          Figure{.plot = {.title = row.activation->tensor,
                          .x_label = "value",
                          .y_label = "count",
                          .chart = histogram_chart(row)},
                 .caption = fmt::format("Read by {}. {:.4f} % of the values are clipped; {:.1f} dB "
                                        "of signal over rounding noise.",
                                        readers, 100 * row.clipped, row.sqnr_db)});
    }
    table.rows.push_back({row.activation->tensor, readers,
                          fmt::format("{:.4g}", row.statistics->min),
                          fmt::format("{:.4g}", row.statistics->max), fmt::format("{:.4g}", low),
                          fmt::format("{:.4g}", high), fmt::format("{:.4f} %", 100 * row.clipped),
                          fmt::format("{:.1f}", row.sqnr_db)});
  }
  section.blocks.emplace_back(std::move(table));
}

/// The plan that was made from these ranges; of several the one with their name.
const Named<quantize::Plan>* plan_of(const Named<calibrate::Ranges>& ranges, const RunFolder& run) {
  const Named<quantize::Plan>* found = nullptr;
  const std::string stem = std::filesystem::path(ranges.file).stem().string();
  for (const auto& plan : run.plans) {
    const auto key = plan.value.provenance.find("calibration_key");
    if (key == plan.value.provenance.end() || key->second != ranges.value.provenance.key) continue;
    if (found == nullptr || plan.file.starts_with(stem + ".")) found = &plan;
  }
  return found;
}

}  // namespace

Section ranges_section(const RunFolder& run) {
  Section section{.title = "Ranges of activations"};
  constexpr std::string_view kCommand =
      "yoloq quantize --weights MODEL.pt --data DATA.yaml --run {}";
  if (run.ranges.empty()) {
    section.blocks.emplace_back(detail::missing(run, "no file of ranges in the folder", kCommand));
  }
  for (const auto& ranges : run.ranges) {
    const Named<quantize::Plan>* plan = plan_of(ranges, run);
    if (plan == nullptr) {
      section.blocks.emplace_back(detail::missing(
          run, fmt::format("no plan that was made from {} in the folder", ranges.file), kCommand));
      continue;
    }
    show_ranges(*plan, ranges, run, section);
  }
  return section;
}

}  // namespace yoloq::report
