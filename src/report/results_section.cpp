// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

/// How a model came to be, as far as the files of the folder say: "PTQ (mse), 4 layers in float".
std::string recipe_of(const EvaluatedModel& model, const RunFolder& run) {
  const auto made = std::ranges::find_if(run.quantizations, [&](const Quantization& each) {
    return each.hash.empty() || model.hash.empty() ? each.output == model.name
                                                   : each.hash == model.hash;
  });
  if (made == run.quantizations.end()) {
    return model.layers_int8 > 0 ? "quantized" : "engine " + model.precision;
  }
  const int in_float = made->layers_total - made->layers_int8;
  const std::string kept = in_float == 0   ? ""
                           : in_float == 1 ? ", 1 layer in float"
                                           : fmt::format(", {} layers in float", in_float);
  return fmt::format("PTQ ({}, target {}){}", made->calibrator, made->target, kept);
}

Table table_of(const Evaluation& evaluation, const RunFolder& run) {
  Table table{.header = {"model", "made by", "executed", "layers int8", "mAP .5:.95", "mAP .5",
                         "size MB", "latency ms"}};
  const bool compared = evaluation.models.size() > 1;
  if (compared) table.header.insert(table.header.end(), {"mAP .5:.95 change", "mAP .5 change"});
  for (const EvaluatedModel& model : evaluation.models) {
    table.rows.push_back({model.name, recipe_of(model, run), model.precision,
                          fmt::format("{} / {}", model.layers_int8, model.layers_total),
                          detail::ap_text(model.ap), detail::ap_text(model.ap50),
                          fmt::format("{:.2f}", model.size_mb), detail::ms_text(model.p50_ms)});
    if (!compared) continue;
    auto& row = table.rows.back();
    row.push_back(model.ap_gap ? detail::gap_text(*model.ap_gap) : "");
    row.push_back(model.ap50_gap ? detail::gap_text(*model.ap50_gap) : "");
  }
  return table;
}

}  // namespace

Section results_section(const RunFolder& run) {
  Section section{.title = "Results"};
  if (run.evaluations.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no evaluation in the folder", detail::kEvalCommand));
  }
  for (const Evaluation& evaluation : run.evaluations) {
    section.blocks.emplace_back(table_of(evaluation, run));
    std::string words =
        fmt::format("{} images; ground truth: {} ({}). Latency: one image at a time, median.",
                    evaluation.images, evaluation.ground_truth, evaluation.file);
    if (evaluation.models.size() > 1) {
      words += fmt::format(
          " Changes are against {}, in parentheses their 95 % interval by a paired bootstrap over "
          "the images.",
          evaluation.models.front().name);
    }
    section.blocks.emplace_back(Text{std::move(words)});
    for (const EvaluatedModel& model : evaluation.models) {
      for (const std::string& notice : model.notices) {
        section.blocks.emplace_back(Text{"Notice: " + notice});
      }
    }
  }
  return section;
}

}  // namespace yoloq::report
