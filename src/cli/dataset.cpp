// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/table.h"
#include "dataset/shapes.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct DatasetArguments {
  fs::path out;
  dataset::ShapesOptions shapes;
  JsonArguments json;
};

void run_dataset(const DatasetArguments& arguments) {
  require_writable(arguments.json.file);
  dataset::ShapesOptions options = arguments.shapes;
  options.progress = progress_bar("shapes");
  const dataset::ShapesSummary summary = dataset::write_shapes(arguments.out, options);

  const std::vector<std::string> names = dataset::shape_names();
  nlohmann::ordered_json boxes = nlohmann::ordered_json::object();
  std::vector<std::vector<std::string>> table{{"class", "boxes"}};
  for (std::size_t i = 0; i < summary.boxes.size(); ++i) {
    table.push_back({names.at(i), std::to_string(summary.boxes[i])});
    boxes[names.at(i)] = summary.boxes[i];
  }
  const fs::path yaml = arguments.out / "data.yaml";
  fmt::print("{}{}: {} images to train on, {} to validate on\n", to_table(table), yaml.string(),
             options.train_images, options.val_images);
  const nlohmann::ordered_json json{{"data", yaml.string()},
                                    {"train_images", options.train_images},
                                    {"val_images", options.val_images},
                                    {"side", options.side},
                                    {"seed", options.seed},
                                    {"boxes", boxes}};
  arguments.json.write(text_of(json));
}

void declare_shapes(CLI::App& app) {
  const auto arguments = std::make_shared<DatasetArguments>();
  dataset::ShapesOptions& shapes = arguments->shapes;
  app.add_option("--out", arguments->out, "folder to make: images/, labels/, data.yaml")
      ->required();
  app.add_option("--images", shapes.train_images, "how many to train on")->capture_default_str();
  app.add_option("--val", shapes.val_images, "how many to validate on")->capture_default_str();
  app.add_option("--img", shapes.side, "side of the images, pixels")->capture_default_str();
  app.add_option("--classes", shapes.class_count,
                 "how many of circle, rectangle, triangle, star, cross")
      ->capture_default_str();
  app.add_option("--smallest", shapes.smallest,
                 "pixels across of the smallest shape; the largest is half of the image")
      ->capture_default_str();
  app.add_option("--visible", shapes.visible,
                 "part of each shape's area that others leave in sight, up to 1")
      ->capture_default_str();
  app.add_option("--seed", shapes.seed, "the same seed draws the same images")
      ->capture_default_str();
  app.add_option("--threads", shapes.threads, "0: all; the images do not depend on it")
      ->capture_default_str();
  app.add_flag("--force", shapes.force, "replace an earlier data set of shapes in --out");
  arguments->json.declare(app);
  app.callback([arguments] { run_dataset(*arguments); });
}

}  // namespace

void declare_dataset(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* shapes = app.add_subcommand(
      "shapes", "Draw coloured shapes on busy backgrounds, with labels, for a first training");
  shapes->footer(
      "Example:\n  yoloq dataset shapes --out shapes --images 2000 --val 300 --img 320\n");
  declare_shapes(*shapes);
}

}  // namespace yoloq::cli
