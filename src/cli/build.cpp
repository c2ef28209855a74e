// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/command.h"
#include "core/error.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "pipeline/detector.h"
#include "pipeline/quantization.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct Arguments {
  ModelArguments model;
  SizeArguments size;
  EngineArguments engine;
  JsonArguments json;
  fs::path data;
  std::string split = "train";
  bool verify = true;
  fs::path out;
};

/// Compares an int8 engine with the literal execution of its file, on images where there are some.
std::vector<runtime::OutputCheck> verify(const Arguments& arguments,
                                         const pipeline::LoadedDetector& loaded) {
  const bool wanted = arguments.verify && loaded.in_file->int8 > 0;
  if (!wanted) return {};
  std::vector<fs::path> images;
  if (!arguments.data.empty()) {
    images = dataset::list_images(dataset::read_data_yaml(arguments.data), arguments.split);
  }
  return pipeline::verify_engine(*loaded.detector.engine, *loaded.model, images);
}

void run(Arguments arguments) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path source = arguments.model.one();
  if (arguments.out.empty()) arguments.out = fs::path(source).replace_extension(".engine");
  require_writable(arguments.out);
  require_writable(arguments.json.file);
  pipeline::ModelOptions load{.size = arguments.size.size(), .hints = arguments.model.hints()};
  if (arguments.engine.batch_size > 1) load.batch = arguments.engine.batch_size;
  if (!arguments.data.empty()) {
    load.hints.names = dataset::read_data_yaml(arguments.data).names;
  }
  const auto loaded =
      pipeline::load_detector(source, load, arguments.engine.options(runtime::Mode::throughput));
  for (const auto& check : verify(arguments, loaded)) {
    fmt::print("verify {}: engine {:.2f} dB, literal execution {:.2f} dB\n", check.name,
               check.engine_db, check.expected_db);
  }
  loaded.detector.engine->save(arguments.out);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{}: {}, {} / {} layers int8, {:.2f} MB, {:.1f} s; {}\n", arguments.out.string(),
             loaded.precision(), loaded.layers.int8, loaded.layers.total,
             static_cast<double>(fs::file_size(arguments.out)) / 1e6, seconds,
             loaded.detector.engine->description());
  const nlohmann::ordered_json json{{"file", arguments.out.string()},
                                    {"precision", loaded.precision()},
                                    {"layers_int8", loaded.layers.int8},
                                    {"layers_total", loaded.layers.total},
                                    {"bytes", fs::file_size(arguments.out)},
                                    {"seconds", seconds},
                                    {"engine", loaded.detector.engine->description()}};
  arguments.json.write(json.dump(2));
}

}  // namespace

void declare_build(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->engine.declare(app);
  arguments->json.declare(app);
  app.add_option("--data", arguments->data, "data set yaml: its images are used to verify");
  app.add_option("--split", arguments->split, "split to verify on")->capture_default_str();
  app.add_flag("!--no-verify", arguments->verify, "do not compare the engine with its reference");
  app.add_option("--out", arguments->out, "default: beside the model, .engine");
  app.callback([arguments] { run(*arguments); });
}

}  // namespace yoloq::cli
