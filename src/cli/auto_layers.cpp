// SPDX-License-Identifier: Apache-2.0
#include "cli/auto_layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/plan_arguments.h"
#include "cli/progress_bar.h"
#include "core/error.h"
#include "dataset/images.h"
#include "pipeline/calibration.h"
#include "sensitivity/methods.h"

namespace yoloq::cli {

namespace fs = std::filesystem;
namespace sense = yoloq::sensitivity;

namespace {

constexpr std::string_view kAuto = "auto";

/// N of "auto:N".
std::size_t count_of(const std::string& text) {
  std::size_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + kAuto.size() + 1, end, count);
  if (problem == std::errc() && stop == end && count > 0) return count;
  fail(ErrorCode::bad_usage, "--skip-layers {}: behind the colon stands how many layers, 1 or more",
       text);
}

}  // namespace

void AutoLayers::declare(CLI::App& app) {
  app.add_option(
      "--max-drop", max_drop,
      "with --skip-layers auto: AP points (of 100) that may be lost on the search images");
  app.add_option("--sensitivity", sensitivity,
                 "with --skip-layers auto: a file of 'yoloq sensitivity' instead of measuring");
  app.add_option("--search-images", search_images,
                 "labelled images of --split to measure the drop on")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--annotations", annotations,
                 "COCO ground truth of the search images; else found beside the data or in labels");
}

void AutoLayers::take_from(std::vector<std::string>& skip_layers) {
  std::vector<std::string> rest;
  for (const std::string& entry : skip_layers) {
    if (entry == kAuto) {
      until_drop = true;
    } else if (entry.starts_with("auto:")) {
      count = count_of(entry);
    } else {
      rest.push_back(entry);
    }
  }
  skip_layers = std::move(rest);
  if (until_drop && count) {
    fail(ErrorCode::bad_usage, "--skip-layers auto and auto:N together: give one of them");
  }
  if (until_drop && !max_drop) {
    fail(ErrorCode::bad_usage,
         "--skip-layers auto needs --max-drop: how many AP points may be lost");
  }
  if (max_drop && !until_drop) {
    fail(ErrorCode::bad_usage, "--max-drop is for --skip-layers auto, which was not given");
  }
  if (max_drop && !(*max_drop >= 0)) {
    fail(ErrorCode::bad_argument, "--max-drop {} cannot be met: give 0 or more AP points",
         *max_drop);
  }
  if (!sensitivity.empty() && !given()) {
    fail(ErrorCode::bad_usage, "--sensitivity is for --skip-layers auto, which was not given");
  }
}

sense::Profile AutoLayers::profile(const pipeline::DetectionModel& model,
                                   const quantize::Plan& plan, const std::vector<fs::path>& images,
                                   const pipeline::QuantizationOptions& how) const {
  if (sensitivity.empty()) {
    const auto chosen = pipeline::pick_images(images, sense::kFastImages);
    return sense::fast_profile(
        {.model = model, .plan = plan, .images = chosen, .backend = how.backend},
        {.threads = how.threads, .progress = progress_bar("sensitivity")});
  }
  const sense::Profile known = sense::read_profile(sensitivity);
  sense::require_profile_of(known, model.graph);
  return known;
}

std::vector<std::string> AutoLayers::most_sensitive(const sense::Profile& profile) const {
  std::vector<std::string> names;
  for (const sense::LayerCost& layer :
       std::span(profile.layers).first(std::min(*count, profile.layers.size()))) {
    names.push_back(layer.name);
  }
  return names;
}

sense::LabelledImages AutoLayers::search(const dataset::Dataset& dataset,
                                         const PlanArguments& how) const {
  sense::LabelledImages found = sense::labelled_images(dataset, {.split = how.split,
                                                                 .annotations = annotations,
                                                                 .count = search_images,
                                                                 .skip_bad = how.skip_bad});
  for (const std::string& message : found.skipped) {
    fmt::print("skipped of the search images: {}\n", message);
  }
  if (!dataset.splits.contains("val")) return found;
  const std::size_t common = sense::overlap(found.images, dataset::list_images(dataset, "val"));
  if (common > 0) {
    fmt::print(
        "notice: {} of the {} search images are in the val split: AP on it says nothing of "
        "images that the choice has not seen\n",
        common, found.images.size());
  }
  return found;
}

nlohmann::ordered_json report_partial(const sense::PartialQuantization& partial) {
  const sense::PartialChoice& choice = partial.choice;
  fmt::print("in float: {} ({}); {:.3f} of the speed of full int8 on one thread\n",
             choice.float_layers.empty() ? "no layer"
                                         : fmt::format("{}", fmt::join(choice.float_layers, ", ")),
             choice.reason, 1 / partial.time);
  nlohmann::ordered_json json{{"float_layers", choice.float_layers},
                              {"met", choice.met},
                              {"reason", choice.reason},
                              {"search_float_ap", partial.float_ap},
                              {"search_ap", choice.ap},
                              {"search_drop", choice.drop},
                              {"speed_against_int8", 1 / partial.time}};
  json["steps"] = nlohmann::ordered_json::array();
  for (const sense::PartialStep& step : choice.steps) {
    json["steps"].push_back(
        {{"layer", step.layer}, {"ap", step.ap}, {"drop", step.drop}, {"time", step.time}});
  }
  return json;
}

}  // namespace yoloq::cli
