// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

constexpr std::size_t kMostBars = 30;

/// A class in all models, those of an evaluation in their order.
struct ClassRow {
  std::string name;
  std::size_t boxes = 0;
  std::vector<double> aps;

  double change(std::size_t model) const { return aps[model] - aps.front(); }
};

/// The classes that have boxes, by the change of the second model, largest loss first.
std::vector<ClassRow> class_rows(const std::vector<EvaluatedModel>& models) {
  std::vector<ClassRow> rows;
  const auto& classes = models.front().classes;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    if (classes[k].boxes == 0) continue;
    ClassRow row{.name = classes[k].name, .boxes = classes[k].boxes};
    for (const EvaluatedModel& model : models) row.aps.push_back(model.classes[k].ap);
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, {}, [](const ClassRow& row) { return row.change(1); });
  return rows;
}

/// The kMostBars rows that changed most, in their order.
std::vector<ClassRow> most_changed(std::vector<ClassRow> rows) {
  if (rows.size() <= kMostBars) return rows;
  std::vector<double> changes;
  for (const ClassRow& row : rows) changes.push_back(std::abs(row.change(1)));
  std::ranges::nth_element(changes, changes.begin() + kMostBars - 1, std::ranges::greater{});
  const double least = changes[kMostBars - 1];
  std::erase_if(rows, [least](const ClassRow& row) { return std::abs(row.change(1)) < least; });
  return rows;
}

bool same_classes(const std::vector<EvaluatedModel>& models) {
  return std::ranges::all_of(models, [&](const EvaluatedModel& model) {
    return std::ranges::equal(model.classes, models.front().classes, {}, &ClassAp::id,
                              &ClassAp::id);
  });
}

}  // namespace

Section classes_section(const RunFolder& run) {
  Section section{.title = "AP of classes"};
  const Evaluation* evaluation = run.main_evaluation();
  if (evaluation == nullptr || evaluation->models.size() < 2 || !same_classes(evaluation->models) ||
      evaluation->models.front().classes.empty()) {
    section.blocks.emplace_back(detail::missing(
        run, "no evaluation of several models in the folder", detail::kEvalCommand));
    return section;
  }
  const auto& models = evaluation->models;
  const std::vector<ClassRow> rows = class_rows(models);
  const std::vector<ClassRow> shown = most_changed(rows);
  Bars bars;
  for (const ClassRow& row : shown)
    bars.names.push_back(fmt::format("{} ({})", row.name, row.boxes));
  Table table{.header = {"class", "boxes", models.front().name}, .folded = "All classes"};
  for (std::size_t m = 1; m < models.size(); ++m) {
    Series series{.name = models[m].name};
    for (const ClassRow& row : shown) series.y.push_back(row.change(m));
    bars.series.push_back(std::move(series));
    table.header.insert(table.header.end(), {models[m].name, "change"});
  }
  for (const ClassRow& row : rows) {
    std::vector<std::string> cells{row.name, std::to_string(row.boxes),
                                   detail::ap_text(row.aps.front())};
    for (std::size_t m = 1; m < models.size(); ++m) {
      cells.push_back(detail::ap_text(row.aps[m]));
      cells.push_back(fmt::format("{:+.4f}", row.change(m)));
    }
    table.rows.push_back(std::move(cells));
  }
  if (!shown.empty()) {
    section.blocks.emplace_back(Figure{
        .plot = {.title = fmt::format("Change of mAP .5:.95 against {}", models.front().name),
                 .x_label = "change of AP",
                 .bars = std::move(bars)},
        .caption = fmt::format("The {} of {} classes that changed most; the number of boxes in "
                               "parentheses: a class of few boxes changes by luck.",
                               shown.size(), rows.size())});
  }
  section.blocks.emplace_back(std::move(table));
  return section;
}

}  // namespace yoloq::report
