// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <utility>

#include "report/detail/fields.h"
#include "report/detail/readers.h"

namespace yoloq::report::detail {

namespace fs = std::filesystem;

namespace {

bool has_format(const Json& json, const char* format) {
  return json.contains("format") && json["format"] == format;
}

BenchedModel benched_of(const Json& row) {
  const Json latency = object(row, "latency_ms");
  return {.name = field<std::string>(row, "model"),
          .precision = field_or<std::string>(row, "precision", ""),
          .p50_ms = field<double>(latency, "p50"),
          .p90_ms = field<double>(latency, "p90"),
          .images_per_second = field_or(row, "throughput", 0.0),
          .engine = field_or<std::string>(row, "engine", "")};
}

Candidate candidate_of(const Json& row) {
  Candidate candidate{.name = field<std::string>(row, "name"),
                      .ap = field<double>(row, "ap"),
                      .latency_ms = field<double>(row, "latency_ms"),
                      .on_front = field_or(row, "on_front", false)};
  if (row.contains("agreement")) candidate.agreement = field<double>(row, "agreement");
  if (row.contains("final_ap")) candidate.final_ap = field<double>(row, "final_ap");
  if (row.contains("final_difference")) {
    const Json change = object(row, "final_difference");
    candidate.final_change = {
        .value = field<double>(change, "ap"),
        .interval = {.low = field<double>(change, "low"), .high = field<double>(change, "high")}};
  }
  return candidate;
}

}  // namespace

Origin origin_of(const Source& source, const char* kind) {
  constexpr std::array kHashes{"model_hash", "plan_hash", "images_hash", "labels_hash", "hash"};
  const Json& json = source.json;
  Origin origin{.file = source.path.filename().string(),
                .kind = kind,
                .backend = field_or<std::string>(json, "engine", "")};
  for (const char* key : kHashes) {
    const auto hash = field_or<std::string>(json, key, "");
    if (hash.empty() || (std::string_view(key) == "hash" && is_evaluation(json))) continue;
    const std::string what = std::string_view(key) == "hash"
                                 ? "file"
                                 : std::string(key, std::string_view(key).find('_'));
    origin.hashes += fmt::format("{}{} {}", origin.hashes.empty() ? "" : ", ", what, hash);
  }
  if (!json.contains("provenance")) return origin;
  const Json from = object(json, "provenance");
  origin.tool = field_or<std::string>(from, "tool", "");
  origin.command = field_or<std::string>(from, "command", "");
  origin.date = field_or<std::string>(from, "date", "");
  if (!from.contains("machine")) return origin;
  const Json machine = object(from, "machine");
  origin.machine = fmt::format("{}, {} threads", field<std::string>(machine, "cpu"),
                               field<int>(machine, "threads"));
  return origin;
}

bool is_benchmark(const Json& json) {
  return json.contains("sweep") && json.contains("latency_ms");
}

void read_benchmark(const Source& source, RunFolder& run) {
  const Json rows = objects(source.json, "models");
  if (rows.empty()) run.benched.push_back(benched_of(source.json));
  for (const Json& row : rows) run.benched.push_back(benched_of(row));
  for (const Json& row : objects(source.json, "comparisons")) {
    run.ratios.push_back({.first = field<std::string>(row, "a"),
                          .second = field<std::string>(row, "b"),
                          .ratio = field<double>(row, "ratio"),
                          .cpu_ratio = field_or(row, "cpu_ratio", 0.0)});
  }
  run.origins.push_back(origin_of(source, "benchmark"));
}

bool is_quantization(const Json& json) {
  return json.contains("calibrator") && json.contains("layers_int8") && json.contains("file");
}

void read_quantization(const Source& source, RunFolder& run) {
  const Json& json = source.json;
  const fs::path output = field<std::string>(json, "file");
  run.quantizations.push_back({.output = output.filename().string(),
                               .hash = field_or<std::string>(json, "hash", ""),
                               .calibrator = field<std::string>(json, "calibrator"),
                               .target = field_or<std::string>(json, "target", ""),
                               .layers_int8 = field<int>(json, "layers_int8"),
                               .layers_total = field<int>(json, "layers_total")});
  run.origins.push_back(origin_of(source, "quantization"));
}

bool is_search(const Json& json) { return has_format(json, "yoloq search"); }

void read_search(const Source& source, RunFolder& run) {
  Search search{.file = source.path.filename().string(),
                .model = field_or<std::string>(source.json, "model", "")};
  for (const Json& row : objects(source.json, "candidates")) {
    search.candidates.push_back(candidate_of(row));
  }
  run.origins.push_back(origin_of(source, "search"));
  run.searches.push_back(std::move(search));
}

bool is_profile(const Json& json) { return has_format(json, "yoloq sensitivity"); }

void read_profile(const Source& source, RunFolder& run) {
  run.profiles.push_back({.file = source.path.filename().string(),
                          .value = sensitivity::parse_profile(source.json.dump())});
  run.origins.push_back(origin_of(source, "sensitivity"));
}

}  // namespace yoloq::report::detail
