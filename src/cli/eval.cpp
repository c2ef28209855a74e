// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/inspect_engine.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "coco/annotations.h"
#include "coco/bootstrap.h"
#include "coco/tide.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/images.h"
#include "pipeline/detector.h"
#include "pipeline/evaluation.h"
#include "runtime/measure.h"
#include "sensitivity/profile.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEvalFile = "eval.json";  ///< In the folder of --run.

struct EvalArguments {
  ModelArguments model;
  SizeArguments size;
  DataArguments data;
  EngineArguments engine;
  JsonArguments json;
  RunArguments run;
  pipeline::DetectOptions detect;
  std::filesystem::path detections;  ///< Evaluate these instead of a model's.
  std::filesystem::path save_json;   ///< Write the model's detections here.
  double latency_seconds = 2.0;
  double min_ap = -1.0;
  coco::BootstrapOptions bootstrap;
  bool per_class = false;
  bool errors = false;
};

/// Single-image latency of each model, turn by turn so that all meet the same state of the machine.
void measure_latencies(const EvalArguments& arguments,
                       const std::vector<std::filesystem::path>& paths,
                       const pipeline::ModelOptions& model, std::vector<EvalRow>& rows) {
  if (arguments.latency_seconds <= 0) return;
  auto options = arguments.engine.options(runtime::Mode::latency);
  options.streams = 0;
  options.gpu.replicas.clear();  // One image keeps one device busy.
  constexpr int kTurns = 4;
  std::vector<pipeline::LoadedDetector> detectors;
  for (const auto& path : paths) detectors.push_back(pipeline::load_detector(path, model, options));
  std::vector<std::vector<double>> times(paths.size());
  for (int turn = 0; turn < kTurns; ++turn) {
    for (std::size_t i = 0; i < detectors.size(); ++i) {
      const auto& detector = detectors[i].detector;
      const Shape shape{detector.batch, 3, detector.size.height, detector.size.width};
      const auto inputs = runtime::random_inputs(*detector.engine, {{shape}});
      const auto report = runtime::measure_latency(*detector.engine, inputs,
                                                   {.seconds = arguments.latency_seconds / kTurns});
      for (const double sample : report.samples_ms) times[i].push_back(sample / detector.batch);
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].latency_p50_ms = runtime::percentile(times[i], 0.5);
    rows[i].latency_p90_ms = runtime::percentile(times[i], 0.9);
  }
}

/// Takes the images that did not decode out of the list, and their places out of the boxes.
void leave_out_skipped(dataset::ImageList& images, pipeline::Found& found) {
  if (found.images == 0) fail(ErrorCode::not_found, "none of the {} images decodes", images.size());
  for (auto index = found.skipped_indices.rbegin(); index != found.skipped_indices.rend();
       ++index) {
    images.erase(images.begin() + static_cast<std::ptrdiff_t>(*index));
    found.boxes.erase(found.boxes.begin() + static_cast<std::ptrdiff_t>(*index));
  }
}

/// A row of the table, and what its differences to others come from.
struct Evaluated {
  EvalRow row;
  coco::Matches matches;
  dataset::ImageList images;
  std::vector<std::int64_t> image_ids;  ///< One per image.
  std::vector<coco::Detection> detections;
};

Evaluated evaluate_model(const EvalArguments& arguments, const std::filesystem::path& path,
                         const pipeline::ModelOptions& model, const dataset::Dataset& dataset) {
  auto images = dataset::list_images(dataset, arguments.data.split);
  const auto find_truth = [&] {
    return pipeline::find_ground_truth(
        dataset, images,
        {.split = arguments.data.split, .annotations = arguments.data.annotations});
  };
  pipeline::GroundTruth truth;
  if (!arguments.data.skip_bad) truth = find_truth();  // Fails before anything is computed.
  auto loaded =
      pipeline::load_detector(path, model, arguments.engine.options(runtime::Mode::throughput));
  if (std::ssize(dataset.names) != loaded.detector.head.class_count) {
    fail(ErrorCode::bad_argument, "'{}' has {} classes, the data set {}: is it the right --data?",
         path.string(), loaded.detector.head.class_count, dataset.names.size());
  }
  pipeline::DetectOptions detect = arguments.detect;
  detect.skip_bad = arguments.data.skip_bad;
  detect.progress = progress_bar("eval " + loaded.name);
  pipeline::Found found = pipeline::find_objects(loaded.detector, images, detect);
  if (arguments.data.skip_bad) {
    leave_out_skipped(images, found);
    truth = find_truth();
  }
  auto detections = pipeline::to_coco(found.boxes, truth);
  if (!arguments.save_json.empty()) coco::write_detections(arguments.save_json, detections);
  auto matches = coco::match(truth.annotations, detections, {.image_ids = truth.image_ids});
  EvalRow row{.model = loaded.name,
              .file = path,
              .hash = pipeline::hash_of_file(path),
              .precision = loaded.precision(),
              .layers = loaded.layers,
              .size_mb = static_cast<double>(loaded.model_bytes) / 1e6,
              .metrics = coco::accumulate(matches),
              .images = found.images,
              .images_per_second = found.images_per_second(),
              .skipped = found.skipped,
              .ground_truth = truth.source,
              .engine = loaded.detector.engine->description()};
  for (const std::string& notice : loaded.detector.engine->notices()) {
    row.notices.push_back(loaded.name + ": " + notice);
  }
  if (arguments.errors || arguments.run.given()) {
    row.errors = coco::split_errors(truth.annotations, detections, {.image_ids = truth.image_ids});
  }
  const bool explained = !row.notices.empty();
  if (!explained && loaded.in_file && loaded.in_file->int8 != loaded.layers.int8) {
    row.notices.push_back(fmt::format("{}: the file asks for {} layers in int8, the engine runs {}",
                                      loaded.name, loaded.in_file->int8, loaded.layers.int8));
  }
  std::ranges::copy(truth.notices, std::back_inserter(row.notices));
  if (const auto other = pipeline::name_difference(loaded.detector.head.names, dataset.names)) {
    row.notices.push_back(loaded.name + ": " + *other);
  }
  return {.row = std::move(row),
          .matches = std::move(matches),
          .images = std::move(images),
          .image_ids = std::move(truth.image_ids),
          .detections = std::move(detections)};
}

/// Each engine's layers with the time that each takes, one image at a time.
void look_at_layers(const EvalArguments& arguments, const std::vector<std::filesystem::path>& paths,
                    const pipeline::ModelOptions& model, std::vector<Evaluated>& models) {
  auto options = arguments.engine.options(runtime::Mode::latency);
  options.streams = 0;
  options.profile = true;
  options.gpu.replicas.clear();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto loaded = pipeline::load_detector(paths[i], model, options);
    run_some(loaded);
    models[i].row.executed = loaded.detector.engine->layers();
  }
}

/// The detections of each model into a file of its own, named after it.
void write_detections(const EvalArguments& arguments, std::vector<Evaluated>& models) {
  std::set<std::string> taken;
  for (Evaluated& each : models) {
    std::string name = each.row.model;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}-{}", each.row.model, n);
    each.row.detections = name + ".detections.json";
    coco::write_detections(arguments.run / each.row.detections, each.detections);
  }
}

/// The images of an evaluation, for pictures in the report.
Json images_json(const Evaluated& evaluated) {
  Json files = Json::array();
  for (std::size_t i = 0; i < evaluated.images.size(); ++i) {
    files.push_back({{"id", evaluated.image_ids[i]},
                     {"file", std::filesystem::absolute(evaluated.images[i]).string()}});
  }
  return files;
}

/// What each model but the first is better or worse by; images that one of them skipped leave
/// nothing to compare.
void add_differences(std::vector<Evaluated>& models, const coco::BootstrapOptions& options) {
  if (options.resamples == 0) return;
  for (Evaluated& other : models) {
    if (&other == &models.front()) continue;
    if (other.matches.image_ids != models.front().matches.image_ids) continue;
    other.row.difference = coco::bootstrap(models.front().matches, other.matches, options);
  }
}

/// What --min-ap asks for.
void require_ap(const EvalArguments& arguments, const std::string& name,
                const coco::Metrics& metrics) {
  const double ap = metrics[coco::Figure::ap];
  if (ap >= arguments.min_ap) return;
  fail(ErrorCode::below_target, "{}: AP {:.4f} is below the {:.4f} asked for", name, ap,
       arguments.min_ap);
}

void evaluate_models(const EvalArguments& arguments) {
  const auto paths = arguments.model.all();
  if (paths.size() > 1 && !arguments.save_json.empty()) {
    fail(ErrorCode::bad_usage, "--save-json takes the detections of one model, not of {}",
         paths.size());
  }
  if (arguments.data.data.empty()) fail(ErrorCode::bad_usage, "--data is required");
  auto inputs = paths;
  inputs.insert(inputs.end(), {arguments.data.data, arguments.data.annotations});
  require_writable(arguments.json.file, inputs);
  require_writable(arguments.save_json, inputs);
  if (arguments.run.given()) require_writable(arguments.run / kEvalFile, inputs);
  arguments.engine.require_as_built(paths);
  const dataset::Dataset dataset = dataset::read_data_yaml(arguments.data.data);
  pipeline::ModelOptions model{.size = arguments.size.size(),
                               .hints = arguments.model.hints(dataset.names)};
  if (arguments.engine.batch_size > 1) model.batch = arguments.engine.batch_size;

  std::vector<Evaluated> models;
  for (const auto& path : paths) {
    models.push_back(evaluate_model(arguments, path, model, dataset));
  }
  add_differences(models, arguments.bootstrap);
  if (arguments.run.given()) {
    look_at_layers(arguments, paths, model, models);
    write_detections(arguments, models);
  }
  std::vector<EvalRow> rows;
  for (Evaluated& each : models) rows.push_back(std::move(each.row));
  measure_latencies(arguments, paths, model, rows);
  print_eval(rows, arguments.per_class);
  for (const EvalRow& row : rows) {
    if (!arguments.errors) break;
    fmt::print("\n{}\n", row.model);
    print_errors(*row.errors);
  }
  Json json = eval_json(rows);
  json["data"] = arguments.data.data.string();
  json["provenance"] = provenance();
  arguments.json.write(text_of(json));
  if (arguments.run.given()) {
    json["images_hash"] = sensitivity::hash_of_images(models.front().images);
    json["image_files"] = images_json(models.front());
    write_file(arguments.run / kEvalFile, text_of(json) + "\n");
  }
  for (const EvalRow& row : rows) require_ap(arguments, row.model, row.metrics);
}

/// The evaluator as a tool of its own: no model, no images.
void evaluate_detections(const EvalArguments& arguments, const CLI::App& app) {
  constexpr std::array<std::string_view, 6> kMeaningful{
      "--detections", "--annotations", "--json", "--min-ap", "--per-class", "--errors"};
  refuse_options_but(app, kMeaningful, "--detections: no model is run, no image is read");
  if (arguments.data.annotations.empty()) {
    fail(ErrorCode::bad_usage, "--detections is compared with --annotations: give both");
  }
  require_writable(arguments.json.file,
                   std::array{arguments.detections, arguments.data.annotations});
  const auto annotations = coco::read_annotations(arguments.data.annotations);
  const auto detections = coco::read_detections(arguments.detections);
  const coco::Metrics metrics = coco::evaluate(annotations, detections);
  print_figures(metrics, arguments.per_class);
  Json json = figures_json(metrics);
  if (arguments.errors) {
    const coco::ErrorSplit split = coco::split_errors(annotations, detections);
    print_errors(split);
    json["errors"] = errors_json(split);
  }
  json["provenance"] = provenance();
  arguments.json.write(text_of(json));
  require_ap(arguments, arguments.detections.string(), metrics);
}

}  // namespace

void declare_eval(CLI::App& app) {
  const auto arguments = std::make_shared<EvalArguments>();
  arguments->model.declare(app);
  arguments->size.declare(app);
  arguments->data.declare(app, false);
  arguments->engine.declare(app);
  arguments->json.declare(app);
  arguments->run.declare(app);
  app.add_option("--conf,--conf-thres", arguments->detect.confidence, "least confidence")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--iou,--iou-thres", arguments->detect.iou, "overlap above which a box goes")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--max-det", arguments->detect.most_boxes, "boxes per image at most")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--detections", arguments->detections,
                 "evaluate this COCO results file against --annotations; no model");
  app.add_option("--save-json", arguments->save_json, "write the detections as COCO json");
  app.add_option("--latency-seconds", arguments->latency_seconds,
                 "how long to measure single-image latency; 0: not at all")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--resamples", arguments->bootstrap.resamples,
                 "of the images, for the confidence interval of AP differences; 0: none")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app.add_option("--min-ap", arguments->min_ap, "exit with status 3 if AP is below");
  app.add_flag("--per-class", arguments->per_class, "print the table of classes");
  app.add_flag("--errors", arguments->errors,
               "say what AP50 would gain if each kind of error were fixed");
  app.callback([arguments, &app] {
    arguments->detections.empty() ? evaluate_models(*arguments)
                                  : evaluate_detections(*arguments, app);
  });
}

}  // namespace yoloq::cli
