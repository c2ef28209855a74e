// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

void show_profile(const Named<sensitivity::Profile>& named, Section& section) {
  const sensitivity::Profile& profile = named.value;
  Bars bars{.series = {{.name = ""}}};
  Table table{.header = {"layer", "id", "cost, " + profile.unit}, .folded = "All layers"};
  const bool has_draws = sensitivity::interval_of(profile.layers.front()).has_value();
  if (has_draws) table.header.emplace_back("95 % interval");
  for (const sensitivity::LayerCost& layer : profile.layers) {
    bars.names.push_back(layer.name);
    bars.series.front().y.push_back(layer.cost);
    table.rows.push_back({layer.name, std::to_string(layer.id), fmt::format("{:.4f}", layer.cost)});
    if (const auto interval = sensitivity::interval_of(layer)) {
      bars.intervals.emplace_back(interval->low, interval->high);
      table.rows.back().push_back(fmt::format("{:+.3f} to {:+.3f}", interval->low, interval->high));
    }
  }
  section.blocks.emplace_back(
      Figure{.plot = {.title = fmt::format("Cost of quantizing one layer of {}", profile.model),
                      .x_label = "cost, " + profile.unit,
                      .bars = std::move(bars)},
             .caption = fmt::format("{}: method '{}' on {} images, most sensitive first.",
                                    named.file, profile.method, profile.images)});
  section.blocks.emplace_back(std::move(table));
}

}  // namespace

Section sensitivity_section(const RunFolder& run) {
  Section section{.title = "Sensitivity of layers"};
  for (const auto& profile : run.profiles) show_profile(profile, section);
  if (run.profiles.empty()) {
    section.blocks.emplace_back(detail::missing(
        run, "no sensitivity file in the folder",
        "yoloq sensitivity --weights MODEL.pt --data DATA.yaml --out {}/sens.json"));
  }
  return section;
}

}  // namespace yoloq::report
