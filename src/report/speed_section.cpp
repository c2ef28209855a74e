// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

Section speed_section(const RunFolder& run) {
  Section section{.title = "Speed"};
  if (run.benched.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no benchmark in the folder",
                        "yoloq bench --model MODEL.onnx --model MODEL-int8.onnx --json "
                        "{}/bench.json"));
    return section;
  }
  Table models{.header = {"model", "precision", "p50 ms", "p90 ms", "images/s", "engine"}};
  for (const BenchedModel& model : run.benched) {
    models.rows.push_back({model.name, model.precision, detail::ms_text(model.p50_ms),
                           detail::ms_text(model.p90_ms),
                           fmt::format("{:.1f}", model.images_per_second), model.engine});
  }
  section.blocks.emplace_back(std::move(models));
  if (run.ratios.empty()) return section;
  Table ratios{.header = {"model", "against", "times as fast", "by processor time"}};
  for (const SpeedRatio& row : run.ratios) {
    ratios.rows.push_back({row.second, row.first, fmt::format("{:.2f}", row.ratio),
                           fmt::format("{:.2f}", row.cpu_ratio)});
  }
  section.blocks.emplace_back(std::move(ratios));
  section.blocks.emplace_back(Text{
      "Measured in interleaved runs, so that both models meet the same state of the machine."});
  return section;
}

}  // namespace yoloq::report
