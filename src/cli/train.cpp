// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "cli/command.h"
#include "cli/training_arguments.h"
#include "core/error.h"
#include "detect/head.h"
#include "model/emit.h"
#include "model/initialise.h"
#include "model/metadata.h"
#include "model/read_yaml.h"
#include "model/take_weights.h"
#include "pipeline/model.h"
#include "pipeline/training_checkpoint.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct TrainArguments {
  TrainingArguments training;
  fs::path cfg;
  fs::path weights;
  bool freeze_norm = false;
};

graph::Graph open_graph(const model::Description& description) {
  return model::emit(description,
                     {.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
}

/// Whether a checkpoint with so many classes needs a new head for a data set; says so.
bool needs_new_head(const fs::path& path, int classes, const dataset::Dataset& dataset) {
  if (classes == static_cast<int>(dataset.names.size())) return false;
  fmt::print("notice: '{}' has {} classes, the data set {}: the head starts anew\n", path.string(),
             classes, dataset.names.size());
  return true;
}

model::NewHead new_head(const dataset::Dataset& dataset, std::uint64_t seed) {
  return {
      .class_count = static_cast<int>(dataset.names.size()), .names = dataset.names, .seed = seed};
}

/// A checkpoint of Ultralytics', with a new head where the data set has other classes.
graph::Graph from_ultralytics(const fs::path& path, const dataset::Dataset& dataset,
                              std::uint64_t seed) {
  model::Description description = checkpoint::read_model(path);
  if (needs_new_head(path, description.info.class_count, dataset)) {
    model::reset_head(description, new_head(dataset, seed));
  }
  description.info.names = dataset.names;
  return open_graph(description);
}

/// The float model of a checkpoint of yoloq's.
graph::Graph float_model(const fs::path& path) {
  pipeline::TrainingCheckpoint checkpoint = pipeline::read_training_checkpoint(path);
  if (checkpoint.plan) {
    fail(ErrorCode::bad_argument, "'{}' is of quantization-aware training; train starts from float",
         path.string());
  }
  return std::move(checkpoint.model);
}

/// A checkpoint of yoloq's, likewise.
graph::Graph from_training(const fs::path& path, const dataset::Dataset& dataset,
                           std::uint64_t seed) {
  graph::Graph graph = float_model(path);
  if (needs_new_head(path, model::read_metadata(graph).class_count, dataset)) {
    model::reset_head(graph, new_head(dataset, seed));
  }
  model::write_metadata(graph, {.names = dataset.names});
  return graph;
}

bool is_training_checkpoint(const fs::path& path) { return path.extension() == ".ckpt"; }

/// The model of --cfg from random weights or, with --weights, from those of them that fit it.
graph::Graph from_yaml(const TrainArguments& arguments, const dataset::Dataset& dataset) {
  graph::Graph graph = open_graph(
      model::read_model_yaml(arguments.cfg, {.class_count = static_cast<int>(dataset.names.size()),
                                             .names = dataset.names,
                                             .seed = arguments.training.recipe.seed}));
  const fs::path& path = arguments.weights;
  if (path.empty()) return graph;
  const graph::Graph trained =
      is_training_checkpoint(path) ? float_model(path) : open_graph(checkpoint::read_model(path));
  try {
    const auto [taken, all] = model::take_weights(graph, trained);
    fmt::print("notice: {} of {} tensors were taken from '{}'\n", taken, all, path.string());
  } catch (const Error& error) {
    throw error.within("'" + path.string() + "'");
  }
  return graph;
}

graph::Graph starting_model(const TrainArguments& arguments, const dataset::Dataset& dataset) {
  if (!arguments.cfg.empty()) return from_yaml(arguments, dataset);
  if (arguments.weights.empty()) {
    fail(ErrorCode::bad_usage,
         "give --cfg, to start from nothing, --weights, to go on from them, or both: a model of "
         "that yaml with those weights that fit it");
  }
  const std::uint64_t seed = arguments.training.recipe.seed;
  if (is_training_checkpoint(arguments.weights)) {
    return from_training(arguments.weights, dataset, seed);
  }
  return from_ultralytics(arguments.weights, dataset, seed);
}

void run_training(TrainArguments arguments) {
  arguments.training.join_ranks();
  arguments.training.check_files({arguments.cfg, arguments.weights});
  const dataset::Dataset dataset = dataset::read_data_yaml(arguments.training.data);
  const graph::Graph graph = starting_model(arguments, dataset);
  const detect::Head head = detect::find_head(
      pipeline::with_input(graph, 1, arguments.training.side()), {.names = dataset.names});
  train::Job job{.model = graph, .head = head};
  arguments.training.fill(job, dataset);
  job.recipe.batch_statistics = !arguments.freeze_norm;
  arguments.training.run(job);
}

}  // namespace

void declare_train(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  arguments->training.declare(app, "hyp.scratch.yaml", "runs/train");
  app.add_option("--cfg", arguments->cfg,
                 "model yaml, or a built-in one by name: start from random weights");
  app.add_option(
      "--weights", arguments->weights,
      "checkpoint (.pt, .ckpt) to start from; with --cfg, those of its tensors that fit");
  app.add_flag("--freeze-norm", arguments->freeze_norm,
               "normalize by the running statistics, which then stay");
  app.callback([arguments] { run_training(*arguments); });
}

}  // namespace yoloq::cli
