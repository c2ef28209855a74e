// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

Section errors_section(const RunFolder& run) {
  Section section{.title = "Kinds of errors"};
  Bars bars{.names = {coco::kErrorNames.begin(), coco::kErrorNames.end()}};
  Table table{.header = {"model", "AP .5 as it is"}};
  for (const std::string_view name : coco::kErrorNames) table.header.emplace_back(name);
  for (const Evaluation& evaluation : run.evaluations) {
    for (const EvaluatedModel& model : evaluation.models) {
      if (!model.errors) continue;
      Series series{.name = model.name};
      std::vector<std::string> row{model.name, detail::ap_text(model.errors->ap50)};
      for (const coco::ErrorShare& share : model.errors->shares) {
        series.y.push_back(share.gain);
        row.push_back(fmt::format("{:+.4f} ({})", share.gain, share.count));
      }
      bars.series.push_back(std::move(series));
      table.rows.push_back(std::move(row));
    }
  }
  if (bars.series.empty()) {
    section.blocks.emplace_back(detail::missing(
        run, "no evaluation with kinds of errors in the folder", detail::kEvalCommand));
    return section;
  }
  section.blocks.emplace_back(Figure{
      .plot = {.title = "What AP .5 would gain if all errors of a kind were fixed",
               .x_label = "gain of AP .5",
               .bars = std::move(bars)},
      .caption =
          "TIDE (Bolya et al. 2020). In the table the number of errors in parentheses. Of an "
          "image the 100 surest detections take part."});
  section.blocks.emplace_back(std::move(table));
  return section;
}

}  // namespace yoloq::report
