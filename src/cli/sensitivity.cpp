// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/plan_arguments.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "cli/table.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/images.h"
#include "pipeline/calibration.h"
#include "pipeline/decodable.h"
#include "pipeline/plan_file.h"
#include "sensitivity/correlation.h"
#include "sensitivity/labelled_images.h"
#include "sensitivity/methods.h"

namespace yoloq::cli {

namespace fs = std::filesystem;
namespace sense = yoloq::sensitivity;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSqnrImages = 8;
constexpr std::size_t kMapImages = 300;
constexpr double kKibPerMib = 1024;

struct SensitivityArguments {
  ModelArguments model;
  SizeArguments size;
  PlanArguments plan;
  JsonArguments json;
  fs::path data;
  fs::path annotations;
  fs::path plan_file;  ///< Empty: made as 'quantize' would.
  std::string method = "fast";
  std::size_t images = 0;  ///< 0: the method's.
  std::size_t group = sense::MapOptions{}.group;
  std::size_t draws = sense::MapOptions{}.draws;
  std::vector<fs::path> compare;
  fs::path out = "sens.json";
};

/// The most memory that this process ever held.
double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / kKibPerMib;
}

void print_profile(const sense::Profile& profile) {
  const bool has_draws = !profile.layers.front().draws.empty();
  std::vector<std::vector<std::string>> table{{"layer", "id", "cost, " + profile.unit}};
  if (has_draws) table.front().emplace_back("95 % interval");
  for (const sense::LayerCost& layer : profile.layers) {
    table.push_back({layer.name, std::to_string(layer.id), fmt::format("{:.4f}", layer.cost)});
    if (const auto interval = sense::interval_of(layer)) {
      table.back().push_back(fmt::format("{:+.3f} to {:+.3f}", interval->low, interval->high));
    }
  }
  fmt::print("{}", to_table(table));
}

/// A profile and what was measured beside it.
struct Measured {
  sense::Profile profile;
  Json facts;
};

Measured measure_map(const SensitivityArguments& arguments, const sense::Subject& subject,
                     const pipeline::GroundTruth& truth) {
  const fs::path state = arguments.out.string() + ".partial";
  const sense::MapResult result = sense::map_profile(subject, truth,
                                                     {.group = arguments.group,
                                                      .draws = arguments.draws,
                                                      .state = state,
                                                      .threads = arguments.plan.threads,
                                                      .progress = progress_bar("map")});
  const std::size_t done = result.profile.layers.size() - result.resumed;
  const auto& [full, layers] = std::tie(result.full_evaluation, result.layers);
  if (result.state_replaced) {
    fmt::print("notice: '{}' was of other inputs and is replaced\n", state.string());
  }
  if (result.resumed > 0) fmt::print("{} layers were measured before\n", result.resumed);
  fmt::print("float AP {:.4f} on {} images; ground truth: {}\n", result.float_ap,
             subject.images.size(), truth.source);
  Measured outcome{.profile = result.profile,
                   .facts = {{"float_ap", result.float_ap},
                             {"resumed_layers", result.resumed},
                             {"evaluation_seconds", full.seconds},
                             {"evaluation_cpu_seconds", full.cpu_seconds},
                             {"seconds", layers.seconds},
                             {"cpu_seconds", layers.cpu_seconds}}};
  if (done == 0) return outcome;
  const double wall = layers.seconds / (full.seconds * static_cast<double>(done));
  const double cpu = layers.cpu_seconds / (full.cpu_seconds * static_cast<double>(done));
  fmt::print(
      "{} layers in {:.0f} s: {:.2f} of as many full evaluations ({:.2f} in processor "
      "time), each {:.1f} s\n",
      done, layers.seconds, wall, cpu, full.seconds);
  outcome.facts["part_of_full_evaluations"] = wall;
  outcome.facts["part_of_full_evaluations_cpu"] = cpu;
  return outcome;
}

/// The images to measure on, with what is to be found in them where the method asks for it.
sense::LabelledImages choose_images(const SensitivityArguments& arguments,
                                    const dataset::Dataset& dataset) {
  const bool needs_truth = arguments.method == "map";
  const std::size_t few = arguments.method == "fast" ? sense::kFastImages : kSqnrImages;
  const std::size_t usual = needs_truth ? kMapImages : few;
  const std::size_t count = arguments.images > 0 ? arguments.images : usual;
  if (needs_truth) {
    return sense::labelled_images(dataset, {.split = arguments.plan.split,
                                            .annotations = arguments.annotations,
                                            .count = count,
                                            .skip_bad = arguments.plan.skip_bad});
  }
  sense::LabelledImages chosen;
  chosen.images = pipeline::pick_images(dataset::list_images(dataset, arguments.plan.split), count);
  if (!arguments.plan.skip_bad) return chosen;
  pipeline::Decodable good = pipeline::decodable(chosen.images);
  chosen.images = std::move(good.images);
  chosen.skipped = std::move(good.skipped);
  return chosen;
}

Measured measure(const SensitivityArguments& arguments) {
  const dataset::Dataset dataset = dataset::read_data_yaml(arguments.data);
  const pipeline::ModelOptions load{.size = arguments.size.size(),
                                    .hints = arguments.model.hints(dataset.names)};
  const pipeline::DetectionModel model = pipeline::load_model(arguments.model.one(), load);
  const sense::LabelledImages chosen = choose_images(arguments, dataset);
  if (arguments.method == "map") print_notices(chosen.truth, model.head, dataset.names);
  std::set<std::string> skipped(chosen.skipped.begin(), chosen.skipped.end());
  quantize::Plan plan;
  if (arguments.plan_file.empty()) {
    const auto all = dataset::list_images(dataset, arguments.plan.split);
    auto made = pipeline::quantize_model(model, all, arguments.plan.pipeline_options());
    plan = std::move(made.plan);
    skipped.insert(made.calibration.skipped.begin(), made.calibration.skipped.end());
  } else {
    plan = pipeline::read_plan(arguments.plan_file);
    if (const auto notice = foreign_plan_notice(plan, model)) fmt::print("notice: {}\n", *notice);
  }
  for (const std::string& message : skipped) fmt::print("skipped: {}\n", message);
  const sense::Subject subject{
      .model = model, .plan = plan, .images = chosen.images, .backend = arguments.plan.backend};
  Measured outcome{.profile = {}, .facts = Json::object()};
  if (arguments.method == "map") {
    outcome = measure_map(arguments, subject, chosen.truth);
  } else {
    const auto profile = arguments.method == "fast" ? sense::fast_profile : sense::sqnr_profile;
    outcome.profile = profile(subject, {.group = arguments.group,
                                        .threads = arguments.plan.threads,
                                        .progress = progress_bar(arguments.method)});
  }
  outcome.facts["skipped"] = skipped;
  return outcome;
}

/// The text of the file that others read: the profile and where it comes from.
std::string file_text(const sense::Profile& profile) {
  Json json = Json::parse(sense::to_json(profile));
  json["provenance"] = provenance();
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void run_measurement(const SensitivityArguments& arguments) {
  if (arguments.data.empty()) {
    fail(ErrorCode::bad_usage, "--data is required: its images are what to measure on");
  }
  const std::array inputs{arguments.model.one(), arguments.data, arguments.annotations,
                          arguments.plan_file};
  require_writable(arguments.out, inputs);
  require_writable(arguments.json.file, inputs);
  arguments.plan.quantize_options();  // Fails before anything is read.
  const sense::Stopwatch watch;
  Measured outcome = measure(arguments);
  write_file(arguments.out, file_text(outcome.profile));
  std::error_code ignored;
  fs::remove(arguments.out.string() + ".partial", ignored);
  print_profile(outcome.profile);
  fmt::print("{}: {} layers by '{}' on {} images, {:.1f} s in all, at most {:.0f} MiB of memory\n",
             arguments.out.string(), outcome.profile.layers.size(), outcome.profile.method,
             outcome.profile.images, watch.elapsed().seconds, peak_mib());
  Json json = Json::parse(sense::to_json(outcome.profile));
  json.update(outcome.facts);
  json["peak_mib"] = peak_mib();
  json["provenance"] = provenance();
  arguments.json.write(text_of(json));
}

std::string text_of(double correlation, const sense::Interval& interval) {
  return fmt::format("{:.3f} (95 %: {:.3f} to {:.3f})", correlation, interval.low, interval.high);
}

Json json_of(double correlation, const sense::Interval& interval) {
  return {{"spearman", correlation}, {"low", interval.low}, {"high", interval.high}};
}

/// The first file is compared with the second, which is taken for the truth.
void run_comparison(const SensitivityArguments& arguments) {
  require_writable(arguments.json.file, arguments.compare);
  const auto candidate = sense::read_profile(arguments.compare[0]);
  const auto reference = sense::read_profile(arguments.compare[1]);
  const sense::Agreement agreement = sense::compare(candidate, reference);
  fmt::print("'{}' against '{}', {} layers: Spearman {}\n", candidate.method, reference.method,
             candidate.layers.size(), text_of(agreement.correlation, agreement.interval));
  fmt::print("{} layers whose cost is more than the luck of the images", agreement.significant);
  if (agreement.significant > 3) {
    fmt::print(": {}", text_of(agreement.significant_correlation, agreement.significant_interval));
  }
  if (agreement.repeatability) {
    fmt::print("\n'{}' would agree with itself on other images to about {:.2f}", reference.method,
               *agreement.repeatability);
  }
  fmt::print("\nmost sensitive: {}; there they are number {}\n", fmt::join(agreement.top, ", "),
             fmt::join(agreement.top_places, ", "));
  Json json{
      {"all", json_of(agreement.correlation, agreement.interval)},
      {"significant_layers", agreement.significant},
      {"significant", json_of(agreement.significant_correlation, agreement.significant_interval)},
      {"top", agreement.top},
      {"top_places", agreement.top_places}};
  if (agreement.repeatability) json["repeatability"] = *agreement.repeatability;
  arguments.json.write(cli::text_of(json));
}

}  // namespace

void declare_sensitivity(CLI::App& app) {
  const auto arguments = std::make_shared<SensitivityArguments>();
  arguments->plan.tuning = arguments->plan.bias_correction = false;
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->json.declare(app);
  app.add_option("--data", arguments->data, "data set yaml");
  app.add_option("--method", arguments->method,
                 "fast: from few images; sqnr: error at the heads; map: AP, one layer at a time")
      ->check(CLI::IsMember({"fast", "sqnr", "map"}))
      ->capture_default_str();
  app.add_option(
         "--images", arguments->images,
         fmt::format("images of --split to measure on; 0: {} for map, {} for fast, {} for sqnr",
                     kMapImages, sense::kFastImages, kSqnrImages))
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app.add_option("--annotations", arguments->annotations,
                 "COCO ground truth of --split, for map; else found beside the data or in labels");
  app.add_option("--plan", arguments->plan_file, "profile this plan instead of making one");
  arguments->plan.declare_calibration(app);
  arguments->plan.declare_placement(app);
  app.add_flag("--tuning", arguments->plan.tuning,
               "profile tuned weights, as 'quantize' makes them");
  app.add_option("--group", arguments->group, "layers whose engines are in memory at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--draws", arguments->draws, "resamplings of the images, for map")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  app.add_option("--compare", arguments->compare,
                 "compare two files instead: how well the first agrees with the second")
      ->expected(2);
  app.add_option("--out", arguments->out, "file to write")->capture_default_str();
  app.callback([arguments, &app] {
    if (!arguments->plan_file.empty()) PlanArguments::refuse_beside_plan(app);
    if (arguments->plan.tuning) arguments->plan.bias_correction = true;
    arguments->compare.empty() ? run_measurement(*arguments) : run_comparison(*arguments);
  });
}

}  // namespace yoloq::cli
