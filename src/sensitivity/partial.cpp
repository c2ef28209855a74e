// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/partial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace yoloq::sensitivity {

namespace {

void report(const PartialOptions& options, const std::string& line) {
  if (options.report) options.report(line);
}

std::string text_of(const PartialStep& step, std::size_t count) {
  if (count == 0) return fmt::format("all int8: AP {:.4f}, drop {:.2f}", step.ap, step.drop);
  return fmt::format("{} in float, {} in all: AP {:.4f}, drop {:.2f}", step.layer, count, step.ap,
                     step.drop);
}

}  // namespace

std::vector<PartialStep> in_order_of_worth(const Profile& profile, const Measurements& measure,
                                           const PartialOptions& options) {
  struct Row {
    PartialStep step;
    double worth = 0;
  };
  std::vector<Row> rows;
  for (const LayerCost& layer :
       std::span(profile.layers).first(std::min(options.candidates, profile.layers.size()))) {
    const std::vector<std::string> alone{layer.name};
    Row row{.step = {.layer = layer.name, .time = measure.time(alone)}};
    // Costs in dB are ratios already; only their order counts, and a power keeps it.
    const double gain = profile.unit == "dB" ? std::pow(10, layer.cost / 10) : layer.cost;
    row.worth = gain / std::max(row.step.time - 1, kLeastTime);
    report(options, fmt::format("{}: cost {:.4f} {}, in float {:+.2f} % time", layer.name,
                                layer.cost, profile.unit, 100 * (row.step.time - 1)));
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &Row::worth);
  std::vector<PartialStep> steps;
  for (Row& row : rows) steps.push_back(std::move(row.step));
  return steps;
}

PartialChoice choose_float_layers(const Profile& profile, double float_ap,
                                  const Measurements& measure, const PartialOptions& options) {
  if (!(options.max_drop >= 0)) {
    fail(ErrorCode::bad_argument, "a largest drop of {} AP points cannot be met: give 0 or more",
         options.max_drop);
  }
  PartialChoice choice;
  std::vector<std::string> layers;
  std::vector<PartialStep> waiting{{}};
  for (std::size_t next = 0; next < waiting.size(); ++next) {
    PartialStep step = waiting[next];
    if (next > 0) layers.push_back(step.layer);
    step.ap = measure.ap(layers);
    step.drop = kPoints * (float_ap - step.ap);
    report(options, text_of(step, layers.size()));
    if (choice.steps.empty() || step.drop < choice.drop) {
      choice.float_layers = layers;
      choice.drop = step.drop;
      choice.ap = step.ap;
    }
    choice.steps.push_back(step);
    choice.met = choice.drop <= options.max_drop;
    if (choice.met) break;
    if (next > 0) continue;
    for (PartialStep& more : in_order_of_worth(profile, measure, options)) {
      waiting.push_back(std::move(more));
    }
  }
  choice.reason =
      choice.met
          ? fmt::format("a drop of {:.2f} AP points is within {}", choice.drop, options.max_drop)
          : fmt::format(
                "none of the first {} layers brings the drop to {}; the best "
                "is {:.2f} with {} in float",
                choice.steps.size() - 1, options.max_drop, choice.drop, choice.float_layers.size());
  return choice;
}

}  // namespace yoloq::sensitivity
