// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/gpu_arguments.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "cli/table.h"
#include "core/error.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "pipeline/detector.h"
#include "pipeline/quantization.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct BuildArguments {
  ModelArguments model;
  SizeArguments size;
  EngineArguments engine;
  ShapeArguments shapes;
  NativePtqArguments native_ptq;
  JsonArguments json;
  BuilderArguments builder;
  fs::path data;
  std::string split = "train";
  bool dynamic = false;
  bool verify = true;
  bool int8 = false;       ///< --dtype int8 was given.
  std::string float_type;  ///< Empty: fp32.
  fs::path out;

  /// The engine keeps batch and size open: a range of shapes means that too.
  bool is_open() const { return dynamic || shapes.given(); }
};

/// Compares an int8 engine with the literal execution of its file, on images where there are some.
std::vector<runtime::OutputCheck> verify(const BuildArguments& arguments,
                                         const pipeline::LoadedDetector& loaded,
                                         const std::vector<fs::path>& images) {
  if (!arguments.verify || loaded.in_file->int8 == 0) return {};
  return pipeline::verify_engine(*loaded.detector.engine, *loaded.model, images);
}

/// Words for the layers in int8, and of what is known of an engine that cannot run here.
std::string layers_text(const pipeline::LoadedDetector& loaded) {
  const auto text = [](const pipeline::LayerCount& layers) {
    return fmt::format("{} / {} layers int8", layers.int8, layers.total);
  };
  if (loaded.detector.engine->runnable()) return text(loaded.layers);
  if (loaded.layers.total > 0) {
    return text(loaded.layers) + " in the plan (it cannot run here and was not verified)";
  }
  return text(*loaded.in_file) +
         " in the file (the engine cannot run here: neither verified nor looked into)";
}

/// What an engine that cannot run here is made of, which its builder has told.
nlohmann::ordered_json show_plan(const std::vector<runtime::LayerInfo>& layers) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto& layer : layers) ++counts[{layer.kind, layer.precision}];
  std::vector<std::vector<std::string>> table{{"layers in the plan", "reading", "number"}};
  auto json = nlohmann::ordered_json::array();
  for (const auto& [key, count] : counts) {
    const auto& [kind, precision] = key;
    table.push_back({kind, precision, std::to_string(count)});
    json.push_back({{"kind", kind}, {"precision", precision}, {"count", count}});
  }
  fmt::print("{}", to_table(table));
  return json;
}

nlohmann::ordered_json json_of(const BuildArguments& arguments,
                               const pipeline::LoadedDetector& loaded, double seconds) {
  const bool inspected = loaded.detector.engine->runnable() || loaded.layers.total > 0;
  const auto layers = inspected ? loaded.layers : *loaded.in_file;
  return {{"file", arguments.out.string()},
          {"precision", layers.int8 > 0 ? "int8" : loaded.precision()},
          {"layers_int8", layers.int8},
          {"layers_total", layers.total},
          {"inspected", inspected},
          {"runnable", loaded.detector.engine->runnable()},
          {"dynamic", arguments.is_open()},
          {"bytes", written_bytes(arguments.out)},
          {"seconds", seconds},
          {"engine", loaded.detector.engine->description()},
          {"notices", loaded.detector.engine->notices()}};
}

/// `--dtype int8` says that the file has Q/DQ or that TensorRT calibrates: the float part is fp32.
runtime::EngineOptions engine_options(BuildArguments& arguments) {
  const bool int8 = arguments.engine.dtype == "int8";
  if (!int8 && !arguments.float_type.empty()) {
    fail(ErrorCode::bad_usage,
         "--float-type goes with --dtype int8; without that, give the type to --dtype");
  }
  if (arguments.float_type.empty()) arguments.float_type = "fp32";
  if (int8) arguments.engine.dtype = arguments.float_type;
  auto options = arguments.engine.options(runtime::Mode::throughput);
  arguments.builder.apply(options.gpu);
  arguments.int8 = int8;
  return options;
}

void require_int8(const BuildArguments& arguments, const pipeline::DetectionModel& model) {
  const bool quantized = pipeline::is_quantized(model.graph);
  if (arguments.int8 && !quantized && !arguments.native_ptq.given()) {
    fail(ErrorCode::bad_argument,
         "--dtype int8, but '{}' has no QuantizeLinear: make it with 'yoloq quantize', or let "
         "TensorRT up to version 10 calibrate with --native-ptq",
         model.name);
  }
}

void run_build(BuildArguments arguments) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path source = arguments.model.one();
  if (arguments.out.empty()) arguments.out = fs::path(source).replace_extension(".engine");
  const std::array inputs{source, arguments.data};
  require_writable(arguments.out, inputs);
  require_writable(arguments.json.file, inputs);
  require_other_files(std::array{arguments.builder.timing_cache}, inputs);
  auto options = engine_options(arguments);
  pipeline::ModelOptions load{.size = arguments.size.size(),
                              .hints = arguments.model.hints(),
                              .dynamic = arguments.is_open()};
  std::vector<fs::path> images;
  if (!arguments.data.empty()) {
    const auto dataset = dataset::read_data_yaml(arguments.data);
    load.hints.names = dataset.names;
    images = dataset::list_images(dataset, arguments.split);
  }
  const bool calibrates = arguments.native_ptq.given();
  if (calibrates && images.empty()) {
    fail(ErrorCode::bad_usage, "--native-ptq needs --data: its images are what to calibrate on");
  }
  if (arguments.engine.batch_size > 1 && !calibrates) load.batch = arguments.engine.batch_size;
  pipeline::DetectionModel model = pipeline::load_model(source, load);
  require_int8(arguments, model);
  options.gpu.shapes = arguments.shapes.profile(model.size);
  arguments.native_ptq.apply(options.gpu, model, images, arguments.engine.batch_size);
  const auto loaded = pipeline::compile_detector(
      std::move(model), arguments.is_open() ? pipeline::Sizes::open : pipeline::Sizes::fixed,
      options);
  std::vector<runtime::OutputCheck> checks;
  if (loaded.detector.engine->runnable()) checks = verify(arguments, loaded, images);
  print_checks(checks);
  loaded.detector.engine->save(arguments.out);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto json = json_of(arguments, loaded, seconds);
  json["verify"] = checks_json(checks);
  const auto layers = loaded.detector.engine->layers();
  if (!loaded.detector.engine->runnable() && !layers.empty()) json["plan"] = show_plan(layers);
  fmt::print("{}: {}, {}, {:.2f} MB, {:.1f} s; {}\n", arguments.out.string(),
             json["precision"].get<std::string>(), layers_text(loaded),
             static_cast<double>(written_bytes(arguments.out)) / 1e6, seconds,
             loaded.detector.engine->description());
  print_notices(loaded.detector.engine->notices());
  arguments.json.write(text_of(json));
}

}  // namespace

void declare_build(CLI::App& app) {
  const auto arguments = std::make_shared<BuildArguments>();
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->engine.declare(app);
  app.get_option("--dtype")->description(
      "fp32, bf16 or fp16; int8: the file has Q/DQ, or --native-ptq");
  app.add_option("--float-type", arguments->float_type,
                 "of the float part with --dtype int8: fp32 (default), bf16 or fp16");
  arguments->shapes.declare(app);
  arguments->native_ptq.declare(app);
  arguments->builder.declare(app);
  arguments->json.declare(app);
  app.add_option("--data", arguments->data, "data set yaml: its images are used to verify");
  app.add_option("--split", arguments->split, "split to verify on")->capture_default_str();
  app.add_flag("--dynamic", arguments->dynamic,
               "keep batch and size open: chosen with --img and --batch-size when it runs");
  app.add_flag("!--no-verify", arguments->verify, "do not compare the engine with its reference");
  app.add_option("--out", arguments->out, "default: beside the model, .engine");
  app.callback([arguments] { run_build(*arguments); });
}

}  // namespace yoloq::cli
