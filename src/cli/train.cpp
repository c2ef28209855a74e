// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "checkpoint/checkpoint.h"
#include "cli/command.h"
#include "cli/training_arguments.h"
#include "core/error.h"
#include "detect/head.h"
#include "pipeline/model.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct Arguments {
  TrainingArguments training;
  fs::path weights;
};

void run_training(const Arguments& arguments) {
  const dataset::Dataset dataset = dataset::read_data_yaml(arguments.training.data);
  const graph::Graph graph = checkpoint::load_graph(
      arguments.weights, {.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
  const vision::Size size = arguments.training.size.size().value_or(vision::Size{640, 640});
  train::Job job{
      .model = graph,
      .head = detect::find_head(pipeline::with_input(graph, 1, size), {.names = dataset.names})};
  arguments.training.fill(job, dataset);
  arguments.training.run(job);
}

}  // namespace

void declare_train(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  arguments->training.declare(app, "hyp.scratch.yaml", "runs/train");
  app.add_option("--weights", arguments->weights, "checkpoint to start from")->required();
  app.callback([arguments] { run_training(*arguments); });
}

}  // namespace yoloq::cli
