// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect_training.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/table.h"
#include "core/error.h"
#include "dataset/check_data.h"
#include "dataset/data_yaml.h"
#include "dataset/hyperparameters.h"
#include "dataset/images.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Prints what was found, whatever it is about; returns how many would stop training.
template <typename Finding>
std::size_t print_findings(const std::vector<Finding>& findings) {
  for (const Finding& found : findings) {
    fmt::print("{}{}: {}: {}\n", found.fatal() ? "ERROR " : "", name_of(found.kind), found.where,
               found.what);
  }
  return static_cast<std::size_t>(std::ranges::count_if(findings, &Finding::fatal));
}

template <typename Finding>
Json to_json(const Finding& found) {
  return {{"kind", name_of(found.kind)},
          {"fatal", found.fatal()},
          {"where", found.where},
          {"what", found.what}};
}

std::size_t check_hyp(const std::filesystem::path& file, Json& json) {
  const auto findings =
      dataset::check_hyperparameters(dataset::hyperparameters_text(file), file.string());
  const std::size_t fatal = print_findings(findings);
  fmt::print("{}: {} finding(s), {} that would stop training\n", file.string(), findings.size(),
             fatal);
  Json rows = Json::array();
  for (const dataset::HypFinding& found : findings) {
    rows.push_back(to_json(found));
    rows.back()["key"] = found.key;
  }
  json["hyp"] = {{"file", file.string()}, {"findings", std::move(rows)}};
  return fatal;
}

void print_classes(const dataset::DataReport& report) {
  std::vector<std::vector<std::string>> table{{"class", "boxes", "images"}};
  for (const dataset::ClassCount& count : report.classes) {
    table.push_back({count.name, std::to_string(count.boxes), std::to_string(count.images)});
  }
  fmt::print("{}", to_table(table));
}

Json to_json(const dataset::DataReport& report) {
  Json classes = Json::array();
  for (const dataset::ClassCount& count : report.classes) {
    classes.push_back({{"name", count.name}, {"boxes", count.boxes}, {"images", count.images}});
  }
  Json findings = Json::array();
  for (const dataset::DataFinding& found : report.findings) findings.push_back(to_json(found));
  return {{"images", report.images},       {"unlabelled", report.unlabelled},
          {"empty", report.empty},         {"boxes", report.boxes},
          {"classes", std::move(classes)}, {"findings", std::move(findings)}};
}

std::size_t check_split(const TrainingCheckArguments& arguments, const std::filesystem::path& file,
                        Json& json) {
  const dataset::Dataset data = dataset::read_data_yaml(file);
  const auto images = dataset::list_images(data, arguments.split);
  const dataset::DataReport report = dataset::check_data(
      images, data.names, {.decode = !arguments.quick}, progress_bar("checking images"));
  print_classes(report);
  const std::size_t fatal = print_findings(report.findings);
  fmt::print(
      "{} {}: {} images ({} without a label file, {} with an empty one), {} boxes; {} finding(s), "
      "{} that would stop training\n",
      file.string(), arguments.split, report.images, report.unlabelled, report.empty, report.boxes,
      report.findings.size(), fatal);
  json["data"] = to_json(report);
  json["data"]["file"] = file.string();
  json["data"]["split"] = arguments.split;
  return fatal;
}

}  // namespace

void TrainingCheckArguments::declare(CLI::App& app) {
  app.add_option("--hyp", hyp,
                 "check hyper-parameters for training: a hyp file, or the name of a built-in one");
  app.add_option("--split", split, "with --data and no model: the split to check")
      ->capture_default_str();
  app.add_flag("--quick", quick, "check headers and ends of image files only, decode none");
}

void check_training(const TrainingCheckArguments& arguments, const std::filesystem::path& data,
                    const JsonArguments& json_arguments) {
  Json json;
  std::size_t fatal = 0;
  if (!arguments.hyp.empty()) fatal += check_hyp(arguments.hyp, json);
  if (!data.empty()) fatal += check_split(arguments, data, json);
  json_arguments.write(text_of(json));
  if (fatal == 0) return;
  fail(ErrorCode::corrupt_file, "{} finding(s) would stop training: those marked ERROR", fatal);
}

}  // namespace yoloq::cli
