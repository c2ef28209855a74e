// SPDX-License-Identifier: Apache-2.0
#include "coco/protocol.h"
#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

/// A curve of each model that has it.
std::vector<Series> curves_of(const Evaluation& evaluation,
                              std::vector<double> EvaluatedModel::*precision) {
  std::vector<Series> curves;
  for (const EvaluatedModel& model : evaluation.models) {
    const std::vector<double>& values = model.*precision;
    if (values.empty()) continue;
    curves.push_back({.name = model.name,
                      .x = {coco::kRecallValues.begin(), coco::kRecallValues.end()},
                      .y = values});
  }
  return curves;
}

}  // namespace

Section curves_section(const RunFolder& run) {
  Section section{.title = "Precision and recall"};
  const Evaluation* evaluation = run.main_evaluation();
  for (const bool at75 : {false, true}) {
    if (evaluation == nullptr) break;
    auto curves =
        curves_of(*evaluation, at75 ? &EvaluatedModel::precision75 : &EvaluatedModel::precision50);
    if (curves.empty()) continue;
    section.blocks.emplace_back(
        Figure{.plot = {.title = at75 ? "At an overlap of .75" : "At an overlap of .50",
                        .x_label = "recall",
                        .y_label = "precision",
                        .chart = Chart{.series = std::move(curves),
                                       .x_range = std::pair(0.0, 1.0),
                                       .y_range = std::pair(0.0, 1.0)}},
               .caption = "The mean of the classes that have boxes."});
  }
  if (section.blocks.empty()) {
    section.blocks.emplace_back(detail::missing(
        run, "no evaluation with precision-recall curves in the folder", detail::kEvalCommand));
  }
  return section;
}

}  // namespace yoloq::report
