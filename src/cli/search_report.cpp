// SPDX-License-Identifier: Apache-2.0
#include "cli/search_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/table.h"
#include "search/front.h"
#include "sensitivity/profile.h"

namespace yoloq::cli {

using sensitivity::kPoints;

namespace {

constexpr double kPercent = 100;

std::vector<std::size_t> front_of(const SearchReport& report) {
  std::vector<search::Point> points;
  for (const SearchRow& row : report.rows) {
    points.push_back({.accuracy = -row.loss, .time = row.time});
  }
  return search::pareto_front(points);
}

/// With the number of float layers for their names.
std::string short_name(const SearchRow& row) {
  if (!row.candidate || row.candidate->float_layers.empty()) return row.name;
  search::Candidate rest = *row.candidate;
  rest.float_layers.clear();
  const std::string count = fmt::format("{} float layers", row.candidate->float_layers.size());
  return rest == search::default_candidate() ? count : search::text_of(rest) + ", " + count;
}

std::string interval_text(const std::optional<coco::ApDifference>& change) {
  if (!change) return "-";
  return fmt::format("{:+.4f} ({:+.4f} to {:+.4f})", change->ap.value, change->ap.interval.low,
                     change->ap.interval.high);
}

nlohmann::ordered_json json_of(const SearchReport& report, const SearchRow& row) {
  nlohmann::ordered_json json{{"name", row.name},
                              {"precision", row.candidate ? "int8" : "fp32"},
                              {"loss", row.loss},
                              {"agreement", kPercent - row.loss},
                              {"ap", row.ap},
                              {"drop", drop_of(report, row)},
                              {"time", row.time},
                              {"latency_ms", row.time * report.reference_ms},
                              {"layers_int8", row.layers_int8},
                              {"layers_total", report.layers_total},
                              {"on_front", row.on_front}};
  if (row.candidate) json["float_layers"] = row.candidate->float_layers;
  if (row.candidate) json["calibrator"] = quantize::name_of(row.candidate->calibrator);
  if (!row.file.empty()) json["file"] = row.file;
  if (row.final_ap) json["final_ap"] = *row.final_ap;
  if (row.final_change) {
    const coco::Difference& ap = row.final_change->ap;
    json["final_difference"] = {
        {"ap", ap.value}, {"low", ap.interval.low}, {"high", ap.interval.high}};
  }
  return json;
}

}  // namespace

double drop_of(const SearchReport& report, const SearchRow& row) {
  return kPoints * (report.float_ap - row.ap);
}

void mark_front(SearchReport& report) {
  for (SearchRow& row : report.rows) row.on_front = false;
  for (const std::size_t i : front_of(report)) report.rows[i].on_front = true;
}

std::optional<std::size_t> choose(const SearchReport& report, std::optional<double> max_drop) {
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    if (report.rows[i].candidate && (!least || report.rows[i].ap > report.rows[*least].ap)) {
      least = i;
    }
  }
  for (const std::size_t i : front_of(report)) {  // Fastest first.
    const SearchRow& row = report.rows[i];
    if (row.candidate && (!max_drop || drop_of(report, row) <= *max_drop)) return i;
  }
  return least;
}

void print_front(const SearchReport& report) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    if (report.rows[i].on_front || !report.rows[i].file.empty()) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return report.rows[i].time; });
  std::vector<std::vector<std::string>> table{{"model", "front", "layers int8", "loss %",
                                               "AP search", "drop", "time", "ms/image", "AP final",
                                               "against float (95 %)"}};
  for (const std::size_t i : order) {
    const SearchRow& row = report.rows[i];
    table.push_back({(report.chosen == i ? "* " : "  ") + short_name(row),
                     row.on_front ? "yes" : "no",
                     fmt::format("{} / {}", row.layers_int8, report.layers_total),
                     fmt::format("{:.2f}", row.loss), fmt::format("{:.4f}", row.ap),
                     fmt::format("{:+.2f}", drop_of(report, row)), fmt::format("{:.3f}", row.time),
                     fmt::format("{:.1f}", row.time * report.reference_ms),
                     row.final_ap ? fmt::format("{:.4f}", *row.final_ap) : "-",
                     row.candidate ? interval_text(row.final_change) : "-"});
  }
  fmt::print("{}", to_table(table));
}

nlohmann::ordered_json search_json(const SearchReport& report) {
  nlohmann::ordered_json json{{"format", "yoloq search"},
                              {"version", 1},
                              {"model", report.model},
                              {"objective", report.objective},
                              {"float_ap", report.float_ap},
                              {"reference_ms", report.reference_ms},
                              {"seconds", report.seconds},
                              {"reason", report.reason},
                              {"search_images", report.search_images},
                              {"loss_images", report.loss_images},
                              {"final_images", report.final_images}};
  json["chosen"] = nullptr;
  if (report.chosen) json["chosen"] = report.rows[*report.chosen].name;
  json["candidates"] = nlohmann::ordered_json::array();
  for (const SearchRow& row : report.rows) json["candidates"].push_back(json_of(report, row));
  return json;
}

}  // namespace yoloq::cli
