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
  for (const EvaluatedModel& model : evaluation.models) {
    table.rows.push_back({model.name, recipe_of(model, run), model.precision,
                          fmt::format("{} / {}", model.layers_int8, model.layers_total),
                          detail::ap_text(model.ap), detail::ap_text(model.ap50),
                          fmt::format("{:.2f}", model.size_mb), detail::ms_text(model.p50_ms)});
  }
  return table;
}

/// What each model but the first is better or worse by; without rows where nothing was compared.
Table changes_table(const Evaluation& evaluation) {
  Table table{.header = {"model", "mAP .5:.95 against " + evaluation.models.front().name,
                         "95 % interval", "mAP .5", "95 % interval"}};
  for (const EvaluatedModel& model : evaluation.models) {
    if (!model.ap_gap || !model.ap50_gap) continue;
    table.rows.push_back({model.name, fmt::format("{:+.4f}", model.ap_gap->value),
                          detail::interval_text(*model.ap_gap),
                          fmt::format("{:+.4f}", model.ap50_gap->value),
                          detail::interval_text(*model.ap50_gap)});
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
    section.blocks.emplace_back(
        Text{fmt::format("{} images; ground truth: {} ({}). Latency: one image at a time, median.",
                         evaluation.images, evaluation.ground_truth, evaluation.file)});
    if (Table changes = changes_table(evaluation); !changes.rows.empty()) {
      section.blocks.emplace_back(std::move(changes));
      section.blocks.emplace_back(
          Text{"Intervals are those of a paired bootstrap over the images: a change whose interval "
               "holds 0 may be chance."});
    }
    for (const EvaluatedModel& model : evaluation.models) {
      for (const std::string& notice : model.notices) {
        section.blocks.emplace_back(Text{"Notice: " + notice});
      }
    }
  }
  return section;
}

}  // namespace yoloq::report
