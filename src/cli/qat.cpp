// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"
#include "cli/arguments.h"
#include "cli/auto_layers.h"
#include "cli/command.h"
#include "cli/plan_arguments.h"
#include "cli/training_arguments.h"
#include "core/error.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "detect/head.h"
#include "model/emit.h"
#include "pipeline/model.h"
#include "pipeline/plan_file.h"
#include "pipeline/quantization.h"
#include "pipeline/training_checkpoint.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct QatArguments {
  ModelArguments model;
  TrainingArguments training;
  PlanArguments how;
  AutoLayers automatic;
  std::size_t calibration_images = 128;
  fs::path plan;
  bool learn_scales = true;
  bool labels = false;
  bool keep_norm = false;
  std::optional<double> scale_lr;
};

/// The plan to train with: of --plan, else by calibration as `yoloq quantize` does it.
quantize::Plan plan_of(QatArguments& arguments, const pipeline::DetectionModel& model,
                       const std::vector<fs::path>& images) {
  if (!arguments.plan.empty()) {
    quantize::Plan plan = pipeline::read_plan(arguments.plan);
    if (const auto notice = foreign_plan_notice(plan, model)) fmt::print("notice: {}\n", *notice);
    return plan;
  }
  pipeline::QuantizationOptions how = arguments.how.pipeline_options();
  how.images = arguments.calibration_images;
  how.threads = arguments.training.recipe.threads;
  how.skip_bad = arguments.training.recipe.skip_bad;
  how.processes = arguments.training.processes();
  if (arguments.automatic.count) {
    pipeline::QuantizationOptions untuned = how;
    untuned.tune_weights = untuned.bias_correction = false;
    const auto rounded = pipeline::quantize_model(model, images, untuned);
    const auto names = arguments.automatic.most_sensitive(
        arguments.automatic.profile(model, rounded.plan, images, how));
    fmt::print("most sensitive layers, kept in float: {}\n", fmt::join(names, ", "));
    for (const std::string& name : names) {
      how.quantize.rules.push_back({name, quantize::Precision::fp32, "--skip-layers auto"});
    }
  }
  return pipeline::quantize_model(model, images, how).plan;
}

/// The model of a checkpoint with its BatchNormalization; sizes open.
graph::Graph with_norm(const fs::path& path) {
  graph::Graph graph;
  if (path.extension() == ".ckpt") {
    graph = pipeline::read_training_checkpoint(path).model;
  } else if (path.extension() == ".pt") {
    graph = model::emit(checkpoint::read_model(path),
                        {.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
  }
  const bool has = std::ranges::any_of(
      graph.nodes(), [&](graph::NodeId id) { return graph[id].op == "BatchNormalization"; });
  if (has) return graph;
  fail(ErrorCode::bad_argument, "'{}' has no BatchNormalization to keep; leave --keep-norm out",
       path.string());
}

/// What is said of training, before minutes of calibration.
void settle_recipe(QatArguments& arguments) {
  TrainingArguments& training = arguments.training;
  train::Recipe& recipe = training.recipe;
  recipe.size = training.side();
  recipe.learn_scales = arguments.learn_scales && recipe.range_momentum == 0;
  if (arguments.scale_lr) recipe.scale_lr = *arguments.scale_lr;
  recipe.teacher = arguments.labels ? train::Teacher::labels : train::Teacher::float_model;
  recipe.batch_statistics = false;
  train::check_recipe(recipe, arguments.plan.empty() ? arguments.how.target
                                                     : pipeline::read_plan(arguments.plan).target);
  train::check_device(recipe.device);
  training.check_files({arguments.model.one(), arguments.plan});
}

void run_qat(QatArguments arguments) {
  arguments.automatic.take_from(arguments.how.skip_layers);
  if (arguments.automatic.until_drop) {
    fail(ErrorCode::bad_usage, "--skip-layers auto needs its number here: auto:4");
  }
  arguments.how.quantize_options();  // Fails before anything is read.
  TrainingArguments& training = arguments.training;
  training.join_ranks();
  settle_recipe(arguments);
  const dataset::Dataset dataset = dataset::read_data_yaml(training.data);
  const pipeline::DetectionModel model =
      pipeline::load_model(arguments.model.one(), {.size = training.size.size(),
                                                   .hints = arguments.model.hints(dataset.names),
                                                   .dynamic = true});
  if (pipeline::is_quantized(model.graph)) {
    fail(ErrorCode::bad_argument, "'{}' is quantized already; qat starts from a float model",
         arguments.model.one().string());
  }
  train::Job job{.model = model.graph, .head = model.head};
  training.fill(job, dataset);
  const std::optional<graph::Graph> unfolded =
      arguments.keep_norm ? std::optional(with_norm(arguments.model.one())) : std::nullopt;
  // Of rank 0 for all: tuned on another CPU, a weight may get another code.
  job.plan = pipeline::unpack_plan(
      training.team->from_first(pipeline::pack_plan(plan_of(arguments, model, job.images))));
  if (unfolded) {
    job.model = *unfolded;
    job.head = detect::find_head(pipeline::with_input(job.model, 1, training.side()),
                                 arguments.model.hints(dataset.names));
    job.plan = pipeline::unfolded_plan(job.model, *std::move(job.plan));
  }
  fmt::print("{} of {} layers int8, target {}; learns from {}\n", job.plan->int8_layers(),
             job.plan->layers.size(), job.plan->target,
             arguments.labels ? "labels" : "the float model");
  training.run(job);
}

}  // namespace

void declare_qat(CLI::App& app) {
  const auto arguments = std::make_shared<QatArguments>();
  arguments->model.declare(app, false);
  TrainingArguments& training = arguments->training;
  training.recipe.epochs = 20;
  training.nominal_batch.reset();  // Few images: every batch counts.
  training.declare(app, "hyp.qat.yaml", "runs/qat");
  arguments->how.declare_calibrator(app);
  arguments->how.declare_layers(app, "auto:N, the N most sensitive");
  arguments->how.declare_placement(app);
  arguments->how.declare_tuning(app);
  app.add_option("--sensitivity", arguments->automatic.sensitivity,
                 "with --skip-layers auto:N: a file of 'yoloq sensitivity' instead of measuring");
  app.add_option("--num-calib-images", arguments->calibration_images,
                 "letterboxed images of --split to calibrate on")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--plan", arguments->plan, "train with this plan file instead of calibrating");
  CLI::Option* labels =
      app.add_flag("--labels", arguments->labels, "learn from labels, not from the float model");
  app.add_option(
         "--match-features", training.recipe.feature_gain,
         "pull the maps that the heads read towards the float model's as well, by this gain")
      ->check(CLI::NonNegativeNumber)
      ->excludes(labels);
  CLI::Option* freeze =
      app.add_flag("!--freeze-scales", arguments->learn_scales, "keep scales as calibrated");
  CLI::Option* moving =
      app.add_option("--moving-ranges", training.recipe.range_momentum,
                     "instead of learning scales, let ranges of activations follow those of the "
                     "batches by so much a step, such as 0.01")
          ->check(CLI::Range(0.0, 1.0))
          ->excludes(freeze);
  app.add_flag(
      "--keep-norm", arguments->keep_norm,
      "train with BatchNormalization, by its running statistics, instead of folding it first");
  app.add_option("--scale-lr", arguments->scale_lr, "relative step of a learned scale")
      ->check(CLI::PositiveNumber)
      ->excludes(freeze)
      ->excludes(moving);
  app.callback([arguments, &app] {
    if (!arguments->plan.empty()) {
      PlanArguments::refuse_beside_plan(app);
      constexpr std::array<std::string_view, 2> kOfCalibration{"--num-calib-images",
                                                               "--float-type"};
      refuse_options(app, kOfCalibration, "--plan: nothing is calibrated or chosen");
    }
    run_qat(*arguments);
  });
}

}  // namespace yoloq::cli
