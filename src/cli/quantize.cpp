// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "calibrate/calibrator.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/results.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/images.h"
#include "onnx/model_file.h"
#include "pipeline/explain.h"
#include "pipeline/plan_file.h"
#include "pipeline/quantization.h"
#include "pipeline/verification.h"
#include "quantize/apply.h"
#include "quantize/half_scales.h"
#include "quantize/target.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct Arguments {
  ModelArguments model;
  SizeArguments size;
  fs::path data;
  std::string split = "train";
  bool skip_bad = false;
  JsonArguments json;
  std::string target = "tensorrt";
  std::string calibrator = "mse";
  std::string residual = "one";
  std::string weight_scale = "mse";
  std::string float_type;  ///< Empty: the plan's, else fp32.
  double percentile = 99.99;
  int object_weight = quantize::Options{}.object_weight;
  int batch_size = 8;
  int batches = 16;
  std::vector<std::string> skip_layers;
  std::vector<std::string> layer_precision;
  bool per_tensor = false;
  bool reduce_range = false;
  bool dynamic = false;
  bool verify = true;
  bool explain = false;
  bool tuning = true;
  bool bias_correction = true;
  std::size_t tuning_images = 32;
  int threads = 0;
  fs::path plan;       ///< Apply this instead of calibrating.
  fs::path save_plan;  ///< Default: beside the output.
  fs::path cache = ".cache/yoloq";
  fs::path out;
};

/// "name=fp32" of --layer-precision.
quantize::PrecisionRule rule_of(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    fail(ErrorCode::bad_argument, "--layer-precision '{}' is not of the form name=fp32|fp16|int8",
         text);
  }
  return {.pattern = text.substr(0, equals),
          .precision = quantize::precision_named(text.substr(equals + 1)),
          .why = "--layer-precision " + text};
}

quantize::Precision float_type(const Arguments& arguments) {
  return quantize::float_type_named(arguments.float_type.empty() ? "fp32" : arguments.float_type);
}

quantize::Options quantize_options(const Arguments& arguments) {
  quantize::Options options{.target = arguments.target,
                            .residual = quantize::residual_named(arguments.residual),
                            .calibrator = arguments.calibrator,
                            .percentile = arguments.percentile,
                            .object_weight = arguments.object_weight,
                            .per_tensor_weights = arguments.per_tensor,
                            .weight_scale = quantize::weight_scale_named(arguments.weight_scale),
                            .reduce_range = arguments.reduce_range,
                            .float_type = float_type(arguments)};
  for (const std::string& pattern : arguments.skip_layers) {
    options.rules.push_back({pattern, options.float_type, "--skip-layers " + pattern});
  }
  for (const std::string& text : arguments.layer_precision) options.rules.push_back(rule_of(text));
  calibrate::find_calibrator(options.calibrator);  // Fails before anything is read.
  quantize::target_named(options.target);
  return options;
}

/// The nodes and layers that are float32 in a file whose float part is float16, and why.
std::vector<quantize::Fp32Node> fp32_layers(const quantize::Plan& plan) {
  std::vector<quantize::Fp32Node> rows;
  if (plan.float_type == quantize::Precision::fp32) return rows;
  for (const quantize::LayerPlan& layer : plan.layers) {
    if (layer.precision == quantize::Precision::fp32) rows.push_back({layer.name, layer.why});
  }
  for (const quantize::Fp32Node& node : plan.fp32_nodes) {
    if (std::ranges::find(rows, node.name, &quantize::Fp32Node::name) == rows.end()) {
      rows.push_back(node);
    }
  }
  return rows;
}

/// What the command reports at its end.
struct Outcome {
  pipeline::QuantizedModel result;
  pipeline::Verification verification;
  std::vector<pipeline::Improvement> improvements;
  double seconds = 0;
};

/// The improvements one by one, each with fresh progress bars that nobody needs to see.
std::vector<pipeline::Improvement> explain(const pipeline::DetectionModel& model,
                                           const std::vector<fs::path>& images,
                                           pipeline::QuantizationOptions how) {
  how.progress = {};
  how.tuning_progress = {};
  how.range_progress = {};
  return pipeline::explain(model, images, how);
}

double worst_db(const std::vector<runtime::OutputCheck>& checks) {
  double worst = std::numeric_limits<double>::infinity();
  for (const auto& check : checks) worst = std::min(worst, check.engine_db);
  return worst;
}

const char* tuning_name(const Arguments& arguments) {
  if (arguments.tuning) return arguments.bias_correction ? "tuned, corrected" : "tuned";
  return arguments.bias_correction ? "rounded, corrected" : "rounded";
}

void report(const Arguments& arguments, const Outcome& outcome) {
  const auto& result = outcome.result;
  const int total = static_cast<int>(result.plan.layers.size());
  for (const std::string& message : result.calibration.skipped) {
    fmt::print("skipped: {}\n", message);
  }
  if (!arguments.plan.empty()) {
    fmt::print("plan {} applied\n", arguments.plan.string());
  } else {
    fmt::print("{} on {} images: {} in {:.2f} s\n", arguments.calibrator, result.images.size(),
               result.calibration.cached ? "cached" : "calibrated", result.calibration.seconds);
    fmt::print("weights and biases: {} in {:.2f} s\n",
               result.tuning_cached ? "cached" : tuning_name(arguments), result.tuning_seconds);
  }
  if (outcome.verification.cached) fmt::print("verified before (cached)\n");
  for (const auto& check : outcome.verification.checks) {
    fmt::print("verify {}: engine {:.2f} dB, literal execution {:.2f} dB against float\n",
               check.name, check.engine_db, check.expected_db);
  }
  fmt::print("{}: {} / {} layers int8, target {}, {:.1f} s in all\n", arguments.out.string(),
             result.plan.int8_layers(), total, result.plan.target, outcome.seconds);
  print_notices(outcome.verification.notices);
  nlohmann::ordered_json json{{"file", arguments.out.string()},
                              {"layers_int8", result.plan.int8_layers()},
                              {"layers_total", total},
                              {"target", result.plan.target},
                              {"calibrator", arguments.calibrator},
                              {"images", result.images.size()},
                              {"seconds", outcome.seconds},
                              {"calibration_seconds", result.calibration.seconds},
                              {"tuning_seconds", result.tuning_seconds},
                              {"cached", result.calibration.cached},
                              {"skipped", result.calibration.skipped},
                              {"notices", outcome.verification.notices}};
  json["float_type"] = name_of(result.plan.float_type);
  json["opset"] = result.graph.opset();
  json["fp32_layers"] = nlohmann::ordered_json::array();
  if (result.plan.float_type == quantize::Precision::fp16) {
    fmt::print("float part fp16, opset {}; {} weight scales below 2^-14\n", result.graph.opset(),
               quantize::subnormal_scales(result.plan));
  }
  for (const auto& [name, why] : fp32_layers(result.plan)) {
    fmt::print("fp32: {}: {}\n", name, why);
    json["fp32_layers"].push_back({{"name", name}, {"why", why}});
  }
  for (const auto& row : outcome.improvements) {
    fmt::print("{:34} {:6.2f} dB\n", row.name, row.sqnr_db);
    json["improvements"].push_back({{"name", row.name}, {"sqnr_db", row.sqnr_db}});
  }
  json["verify_sqnr_db"] = nullptr;
  const auto& checks = outcome.verification.checks;
  if (!checks.empty()) json["verify_sqnr_db"] = worst_db(checks);
  arguments.json.write(json.dump(2));
}

/// Gives a plan the float type of --float-type, where that is another than its own.
void change_float_type(const Arguments& arguments, const pipeline::DetectionModel& model,
                       quantize::Plan& plan, const pipeline::Observe& observe) {
  if (arguments.float_type.empty() || float_type(arguments) == plan.float_type) return;
  plan.float_type = float_type(arguments);
  plan.fp32_nodes.clear();
  if (plan.float_type == quantize::Precision::fp32) return;
  quantize::round_scales_to_half(plan);
  pipeline::keep_wide_nodes_in_fp32(model.graph, plan, observe);
}

pipeline::QuantizedModel apply_plan(const Arguments& arguments,
                                    const pipeline::DetectionModel& model,
                                    const std::vector<fs::path>& images) {
  pipeline::QuantizedModel result{.images = images};
  result.plan = pipeline::read_plan(arguments.plan);
  const pipeline::QuantizationOptions how{.cache = arguments.cache,
                                          .threads = arguments.threads,
                                          .skip_bad = arguments.skip_bad,
                                          .range_progress = progress_bar("ranges")};
  change_float_type(arguments, model, result.plan,
                    images.empty() ? pipeline::Observe{} : observer(model, images, how));
  result.graph = quantize::apply(model.graph, result.plan);
  return result;
}

void run(Arguments arguments) {
  const auto start = std::chrono::steady_clock::now();
  const quantize::Options options = quantize_options(arguments);
  const fs::path source = arguments.model.one();
  if (arguments.out.empty()) arguments.out = source.stem().string() + "-int8.onnx";
  if (arguments.save_plan.empty()) {
    arguments.save_plan = fs::path(arguments.out).replace_extension(".plan.yaml");
  }
  require_writable(arguments.out);
  require_writable(arguments.save_plan);
  require_writable(arguments.json.file);
  if (arguments.data.empty() && arguments.plan.empty()) {
    fail(ErrorCode::bad_usage, "--data is required: its images are what to calibrate on");
  }

  std::vector<fs::path> images;
  pipeline::ModelOptions load{.size = arguments.size.size(),
                              .hints = arguments.model.hints(),
                              .dynamic = arguments.dynamic};
  if (!arguments.data.empty()) {
    const dataset::Dataset dataset = dataset::read_data_yaml(arguments.data);
    load.hints.names = dataset.names;
    images = dataset::list_images(dataset, arguments.split);
  }
  const pipeline::DetectionModel model = pipeline::load_model(source, load);
  Outcome outcome;
  const auto count =
      static_cast<std::size_t>(arguments.batch_size) * static_cast<std::size_t>(arguments.batches);
  if (!arguments.plan.empty()) {
    outcome.result = apply_plan(arguments, model, pipeline::pick_images(images, count));
  } else {
    if (images.size() < count) {
      fmt::print("notice: {} images asked for, '{}' has {}\n", count, arguments.split,
                 images.size());
    }
    const pipeline::QuantizationOptions how{.quantize = options,
                                            .images = count,
                                            .cache = arguments.cache,
                                            .threads = arguments.threads,
                                            .skip_bad = arguments.skip_bad,
                                            .tune_weights = arguments.tuning,
                                            .bias_correction = arguments.bias_correction,
                                            .tuning_images = arguments.tuning_images,
                                            .progress = progress_bar("calibrate"),
                                            .tuning_progress = progress_bar("tune"),
                                            .range_progress = progress_bar("ranges")};
    outcome.result = pipeline::quantize_model(model, images, how);
    if (arguments.explain) outcome.improvements = explain(model, images, how);
  }
  if (arguments.verify && !outcome.result.images.empty()) {
    outcome.verification =
        pipeline::verify_once(model, outcome.result.graph, outcome.result.images, arguments.cache);
  }
  auto files = pipeline::plan_files(outcome.result.plan, arguments.save_plan);
  files.push_back({arguments.out, onnx::serialize(outcome.result.graph)});
  write_files(files);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report(arguments, outcome);
}

std::string known_calibrators() {
  std::string names;
  for (const auto& row : calibrate::calibrators()) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

std::string known_targets() {
  std::string names;
  for (const auto& row : quantize::targets()) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

void declare_layers(CLI::App& app, Arguments& arguments) {
  app.add_option("--skip-layers", arguments.skip_layers,
                 "layers to keep in float: names, globs or ids, separated by commas")
      ->delimiter(',');
  app.add_option("--layer-precision", arguments.layer_precision,
                 "name=fp32|fp16|int8, separated by commas; later ones win")
      ->delimiter(',');
  app.add_option("--float-type", arguments.float_type,
                 "type of what is not int8: fp32, fp16; of a plan, its own")
      ->check(CLI::IsMember({"fp32", "fp16"}));
  app.add_option("--residual", arguments.residual, "quantized inputs of an Add: one, both, none")
      ->capture_default_str();
  app.add_flag("--per-tensor", arguments.per_tensor, "one weight scale per layer, not per channel");
  app.add_flag("--reduce-range", arguments.reduce_range,
               "weight codes -64..64: int8 also on CPUs without VNNI, at some cost in accuracy");
  app.add_option("--weight-scale", arguments.weight_scale, "weight scales by mse or max")
      ->capture_default_str();
  app.add_flag("!--no-tuning", arguments.tuning,
               "round weights to nearest instead of making up for quantization errors");
  app.add_option("--tuning-images", arguments.tuning_images,
                 "images for weight tuning and bias correction")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_flag("!--no-bias-correction", arguments.bias_correction,
               "leave biases as they are after quantization");
}

void declare_calibration(CLI::App& app, Arguments& arguments) {
  app.add_option("--calibrator", arguments.calibrator, known_calibrators())->capture_default_str();
  app.add_option("--percentile", arguments.percentile, "of the calibrator of that name, in percent")
      ->capture_default_str();
  app.add_option("--object-weight", arguments.object_weight,
                 "how many times more a value at an object counts; 0: as any other")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--batch-size", arguments.batch_size, "images per calibration batch")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--num-calib-batch", arguments.batches, "calibration batches")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--split", arguments.split, "split to calibrate on")->capture_default_str();
  app.add_option("--cache", arguments.cache, "folder of calibration caches; '' for none")
      ->capture_default_str();
  app.add_flag("--skip-bad", arguments.skip_bad, "leave out images that do not decode");
}

}  // namespace

void declare_quantize(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->json.declare(app);
  app.add_option("--data", arguments->data, "data set yaml");
  app.add_option("--target", arguments->target, known_targets())->capture_default_str();
  declare_calibration(app, *arguments);
  declare_layers(app, *arguments);
  app.add_flag("--dynamic", arguments->dynamic, "leave batch and size of a checkpoint open");
  app.add_flag("!--no-verify", arguments->verify, "do not compare the engine with its reference");
  app.add_flag("--explain", arguments->explain,
               "quantize with one improvement after the other and say what each gave");
  app.add_option("--threads", arguments->threads, "0: all that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--plan", arguments->plan, "apply this plan file instead of calibrating");
  app.add_option("--save-plan", arguments->save_plan, "default: beside the output");
  app.add_option("--out", arguments->out, "default: <model>-int8.onnx");
  app.callback([arguments] { run(*arguments); });
}

}  // namespace yoloq::cli
