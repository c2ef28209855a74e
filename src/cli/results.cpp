// SPDX-License-Identifier: Apache-2.0
#include "cli/results.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/inspect_engine.h"
#include "cli/table.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string milliseconds(const EvalRow& row) {
  if (row.latency_p50_ms <= 0) return "-";
  return fmt::format("{:.1f}, {:.1f}", row.latency_p50_ms, row.latency_p90_ms);
}

void print_classes(const coco::Metrics& metrics) {
  std::vector<std::vector<std::string>> rows{{"class", "boxes", "AP .5:.95", "AP .5"}};
  for (const coco::ClassMetrics& row : metrics.classes) {
    if (row.boxes == 0) continue;
    rows.push_back({row.name, std::to_string(row.boxes), fmt::format("{:.4f}", row.ap),
                    fmt::format("{:.4f}", row.ap50)});
  }
  fmt::print("\n{}", to_table(rows));
}

Json figures(const coco::Metrics& metrics) {
  Json json;
  for (std::size_t i = 0; i < metrics.figures.size(); ++i) {
    json[std::string(coco::kFigureNames[i])] = metrics.figures[i];
  }
  Json classes = Json::array();
  for (const coco::ClassMetrics& row : metrics.classes) {
    classes.push_back({{"id", row.category_id},
                       {"name", row.name},
                       {"boxes", row.boxes},
                       {"AP", row.ap},
                       {"AP50", row.ap50}});
  }
  json["classes"] = std::move(classes);
  return json;
}

/// Precision at recalls 0, .01, ..., 1, the mean of the classes that have boxes.
Json mean_curve(const coco::Curves& curves, std::size_t threshold) {
  constexpr double kSteps = 1e5;  // Five decimals: more than a plot shows.
  std::vector<double> sums(coco::kRecalls);
  std::size_t classes = 0;
  for (std::size_t k = 0; k < curves.categories(); ++k) {
    const auto precision = curves.precision({.category = k, .threshold = threshold});
    if (precision.front() < 0) continue;
    ++classes;
    for (std::size_t r = 0; r < coco::kRecalls; ++r) sums[r] += precision[r];
  }
  if (classes == 0) return Json::array();
  Json curve = Json::array();
  for (const double sum : sums) {
    curve.push_back(std::round(sum / static_cast<double>(classes) * kSteps) / kSteps);
  }
  return curve;
}

Json json_of(const coco::Difference& difference) {
  return {{"value", difference.value},
          {"low", difference.interval.low},
          {"high", difference.interval.high}};
}

/// "a against b: AP -0.0041 (95 %: -0.0080 to -0.0003), AP50 ...".
void print_difference(const EvalRow& row, const EvalRow& first) {
  const auto text = [](const coco::Difference& difference) {
    return fmt::format("{:+.4f} (95 %: {:+.4f} to {:+.4f}{})", difference.value,
                       difference.interval.low, difference.interval.high,
                       difference.interval.holds_zero() ? ", so it may be chance" : "");
  };
  fmt::print("{} against {}: AP {}, AP50 {}; {} resamples of {} images\n", row.model, first.model,
             text(row.difference->ap), text(row.difference->ap50), row.difference->resamples,
             row.difference->images);
}

Json row_json(const EvalRow& row) {
  Json json{{"model", row.model}, {"precision", row.precision}};
  json["layers_int8"] = row.layers.int8;
  json["layers_total"] = row.layers.total;
  json.update(figures(row.metrics));
  json["images"] = row.images;
  json["images_per_second"] = row.images_per_second;
  json["latency_ms"] = {{"p50", row.latency_p50_ms}, {"p90", row.latency_p90_ms}};
  json["size_mb"] = row.size_mb;
  json["ground_truth"] = row.ground_truth;
  json["engine"] = row.engine;
  if (row.difference) {
    json["difference"] = {{"AP", json_of(row.difference->ap)},
                          {"AP50", json_of(row.difference->ap50)},
                          {"resamples", row.difference->resamples}};
  }
  json["skipped"] = row.skipped;
  json["notices"] = row.notices;
  json["file"] = row.file.string();
  json["hash"] = row.hash;
  constexpr std::size_t kAt75 = 5;  // kThresholdValues[5] is .75.
  json["precision_at_recall"] = {{"AP50", mean_curve(row.metrics.curves, 0)},
                                 {"AP75", mean_curve(row.metrics.curves, kAt75)}};
  if (row.errors) json["errors"] = errors_json(*row.errors);
  if (!row.detections.empty()) json["detections"] = row.detections;
  if (!row.executed.empty()) json["executed"] = executed_json(row.executed);
  return json;
}

}  // namespace

void print_eval(std::span<const EvalRow> rows, bool per_class) {
  std::vector<std::vector<std::string>> table{{"model", "precision", "layers int8", "AP .5:.95",
                                               "AP .5", "size MB", "ms/image (p50, p90)",
                                               "images/s"}};
  for (const EvalRow& row : rows) {
    table.push_back(
        {row.model, row.precision, fmt::format("{} / {}", row.layers.int8, row.layers.total),
         fmt::format("{:.4f}", row.metrics[coco::Figure::ap]),
         fmt::format("{:.4f}", row.metrics[coco::Figure::ap50]), fmt::format("{:.2f}", row.size_mb),
         milliseconds(row), fmt::format("{:.1f}", row.images_per_second)});
  }
  fmt::print("{}", to_table(table));
  if (!rows.empty()) {
    fmt::print("{} images; ground truth: {}; {}\n", rows[0].images, rows[0].ground_truth,
               rows[0].engine);
  }
  for (const EvalRow& row : rows) {
    if (row.difference) print_difference(row, rows.front());
  }
  std::set<std::string> shown;  // What concerns the data, the rows have in common.
  for (const EvalRow& row : rows) {
    for (const std::string& notice : row.notices) {
      if (shown.insert(notice).second) print_notices(std::span(&notice, 1));
    }
    for (const std::string& message : row.skipped) fmt::print("skipped: {}\n", message);
    if (per_class) print_classes(row.metrics);
  }
}

void print_errors(const coco::ErrorSplit& split) {
  std::vector<std::vector<std::string>> table{{"error", "AP .5 if fixed", "number"}};
  for (std::size_t i = 0; i < split.shares.size(); ++i) {
    table.push_back({std::string(coco::kErrorNames[i]),
                     fmt::format("{:+.4f}", split.shares[i].gain),
                     std::to_string(split.shares[i].count)});
  }
  fmt::print("{}", to_table(table));
}

Json errors_json(const coco::ErrorSplit& split) {
  Json json{{"AP50", split.ap50}};
  for (std::size_t i = 0; i < split.shares.size(); ++i) {
    json[std::string(coco::kErrorNames[i])] = {{"gain", split.shares[i].gain},
                                               {"count", split.shares[i].count}};
  }
  return json;
}

void print_checks(std::span<const runtime::OutputCheck> checks) {
  for (const auto& check : checks) {
    fmt::print("verify {}: engine {:.2f} dB, literal execution {:.2f} dB against float\n",
               check.name, check.engine_db, check.expected_db);
  }
}

Json checks_json(std::span<const runtime::OutputCheck> checks) {
  Json json = Json::array();
  for (const auto& check : checks) {
    json.push_back({{"output", check.name},
                    {"engine_db", check.engine_db},
                    {"literal_execution_db", check.expected_db},
                    {"engine_to_literal_execution_db", check.literal_db}});
  }
  return json;
}

void print_notices(std::span<const std::string> notices) {
  for (const std::string& notice : notices) fmt::print("notice: {}\n", notice);
}

void print_notices(const pipeline::GroundTruth& truth, const detect::Head& head,
                   std::span<const std::string> class_names) {
  print_notices(truth.notices);
  if (const auto other = pipeline::name_difference(head.names, class_names)) {
    print_notices(std::span(&*other, 1));
  }
}

Json eval_json(std::span<const EvalRow> rows) {
  if (rows.empty()) return Json::object();
  Json json = row_json(rows[0]);
  if (rows.size() > 1) {
    Json models = Json::array();
    for (const EvalRow& row : rows) models.push_back(row_json(row));
    json["models"] = std::move(models);
  }
  return json;
}

void print_figures(const coco::Metrics& metrics, bool per_class) {
  std::vector<std::vector<std::string>> rows{{"figure", "value"}};
  for (std::size_t i = 0; i < metrics.figures.size(); ++i) {
    rows.push_back({std::string(coco::kFigureNames[i]), fmt::format("{:.6f}", metrics.figures[i])});
  }
  fmt::print("{}", to_table(rows));
  if (metrics.unknown_category > 0) {
    fmt::print("notice: {} detections of categories that the annotations do not list\n",
               metrics.unknown_category);
  }
  if (per_class) print_classes(metrics);
}

Json figures_json(const coco::Metrics& metrics) {
  Json json = figures(metrics);
  json["images"] = metrics.images;
  json["boxes"] = metrics.boxes;
  json["detections"] = metrics.detections;
  json["unknown_category"] = metrics.unknown_category;
  return json;
}

}  // namespace yoloq::cli
