// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/auto_layers.h"
#include "cli/command.h"
#include "cli/plan_arguments.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "dataset/images.h"
#include "onnx/model_file.h"
#include "pipeline/explain.h"
#include "pipeline/plan_file.h"
#include "pipeline/quantization.h"
#include "pipeline/verification.h"
#include "quantize/apply.h"
#include "quantize/half_scales.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct QuantizeArguments {
  ModelArguments model;
  SizeArguments size;
  fs::path data;
  JsonArguments json;
  RunArguments run;
  PlanArguments how;
  AutoLayers automatic;
  bool dynamic = false;
  bool verify = true;
  bool explain = false;
  fs::path plan;       ///< Apply this instead of calibrating.
  fs::path save_plan;  ///< Default: beside the output.
  fs::path out;

  /// A file of --run, named after the output.
  fs::path run_file(const std::string& extension) const {
    return run / (out.stem().string() + extension);
  }
};

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
  std::optional<sensitivity::PartialQuantization> partial;
  double seconds = 0;
  std::string hash;  ///< Of the bytes written.
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

const char* tuning_name(const QuantizeArguments& arguments) {
  if (arguments.how.tuning) return arguments.how.bias_correction ? "tuned, corrected" : "tuned";
  return arguments.how.bias_correction ? "rounded, corrected" : "rounded";
}

/// What a plan says of how it was made; empty if it does not.
std::string said(const quantize::Plan& plan, const std::string& key) {
  const auto fact = plan.provenance.find(key);
  return fact == plan.provenance.end() ? "" : fact->second;
}

/// How many images the plan was made from; null if it does not say.
nlohmann::ordered_json calibration_images(const QuantizeArguments& arguments,
                                          const pipeline::QuantizedModel& result) {
  if (arguments.plan.empty()) return result.images.size();
  const std::string text = said(result.plan, "images");
  std::size_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc()) return nullptr;
  return count;
}

/// What speaks against an applied plan being this model's.
std::vector<std::string> plan_notices(const QuantizeArguments& arguments,
                                      const pipeline::DetectionModel& model,
                                      const Outcome& outcome) {
  if (arguments.plan.empty()) return {};
  constexpr double kNoLikeness = 3.0;  // dB: half of the output's power is error.
  std::vector<std::string> notices;
  if (auto foreign = foreign_plan_notice(outcome.result.plan, model)) {
    notices.push_back(std::move(*foreign));
  }
  for (const auto& check : outcome.verification.checks) {
    if (check.expected_db >= kNoLikeness) continue;
    notices.push_back(
        fmt::format("{}: {:.2f} dB even if the file is executed literally: the plan can hardly be "
                    "this model's",
                    check.name, check.expected_db));
  }
  return notices;
}

void report(const QuantizeArguments& arguments, const Outcome& outcome) {
  const auto& result = outcome.result;
  const int total = static_cast<int>(result.plan.layers.size());
  for (const std::string& message : result.calibration.skipped) {
    fmt::print("skipped: {}\n", message);
  }
  if (!arguments.plan.empty()) {
    fmt::print("plan {} applied\n", arguments.plan.string());
  } else {
    fmt::print("{} on {} images: {} in {:.2f} s\n", arguments.how.calibrator, result.images.size(),
               result.calibration.cached ? "cached" : "calibrated", result.calibration.seconds);
    fmt::print("weights and biases: {} in {:.2f} s\n",
               result.tuning_cached ? "cached" : tuning_name(arguments), result.tuning_seconds);
  }
  if (outcome.verification.cached) fmt::print("verified before (cached)\n");
  print_checks(outcome.verification.checks);
  fmt::print("{}: {} / {} layers int8, target {}, {:.1f} s in all\n", arguments.out.string(),
             result.plan.int8_layers(), total, result.plan.target, outcome.seconds);
  print_notices(outcome.verification.notices);
  nlohmann::ordered_json json{{"file", arguments.out.string()},
                              {"layers_int8", result.plan.int8_layers()},
                              {"layers_total", total},
                              {"target", result.plan.target},
                              {"calibrator", said(result.plan, "calibrator")},
                              {"images", calibration_images(arguments, result)},
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
  if (outcome.partial) json["partial"] = report_partial(*outcome.partial);
  json["verify_sqnr_db"] = nullptr;
  const auto& checks = outcome.verification.checks;
  if (!checks.empty()) json["verify_sqnr_db"] = worst_db(checks);
  json["verify"] = checks_json(checks);
  json["source"] = arguments.model.one().string();
  json["hash"] = outcome.hash;
  json["plan"] = arguments.save_plan.string();
  json["plan_provenance"] = result.plan.provenance;
  json["provenance"] = provenance();
  arguments.json.write(text_of(json));
  if (arguments.run.given()) {
    write_file(arguments.run_file(".quantize.json"), text_of(json) + "\n");
  }
}

/// Gives a plan the float type of --float-type, where that is another than its own.
void change_float_type(const QuantizeArguments& arguments, const pipeline::DetectionModel& model,
                       quantize::Plan& plan, const pipeline::Observe& observe) {
  if (arguments.how.float_type.empty() || arguments.how.float_precision() == plan.float_type)
    return;
  plan.float_type = arguments.how.float_precision();
  plan.fp32_nodes.clear();
  if (plan.float_type == quantize::Precision::fp32) return;
  quantize::round_scales_to_half(plan);
  pipeline::keep_wide_nodes_in_fp32(model.graph, plan, observe);
}

pipeline::QuantizedModel apply_plan(const QuantizeArguments& arguments,
                                    const pipeline::DetectionModel& model,
                                    const std::vector<fs::path>& images) {
  pipeline::QuantizedModel result{.images = images};
  result.plan = pipeline::read_plan(arguments.plan);
  const pipeline::QuantizationOptions how{.cache = arguments.how.cache,
                                          .threads = arguments.how.threads,
                                          .skip_bad = arguments.how.skip_bad,
                                          .range_progress = progress_bar("ranges")};
  change_float_type(arguments, model, result.plan,
                    images.empty() ? pipeline::Observe{} : observer(model, images, how));
  result.graph = quantize::apply_for_target(model.graph, result.plan);
  return result;
}

/// A step of minutes is seen when it ends, also in a file.
void print_now(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// Quantizes, with the float layers that --skip-layers auto asks for.
void quantize(QuantizeArguments& arguments, const pipeline::DetectionModel& model,
              const std::vector<fs::path>& images, const sensitivity::LabelledImages& search,
              Outcome& outcome) {
  const AutoLayers& automatic = arguments.automatic;
  pipeline::QuantizedModel rounded;
  sensitivity::Profile profile;
  if (automatic.given()) {
    pipeline::QuantizationOptions untuned = arguments.how.pipeline_options();
    untuned.tune_weights = untuned.bias_correction = false;
    rounded = pipeline::quantize_model(model, images, untuned);
    const auto& known_good = arguments.how.skip_bad ? rounded.images : images;
    profile = automatic.profile(model, rounded.plan, known_good, untuned);
  }
  if (automatic.count) {
    const auto names = automatic.most_sensitive(profile);
    fmt::print("most sensitive layers, kept in float: {}\n", fmt::join(names, ", "));
    arguments.how.skip_layers.insert(arguments.how.skip_layers.end(), names.begin(), names.end());
  }
  pipeline::QuantizationOptions how = arguments.how.pipeline_options();
  if (!automatic.until_drop) {
    outcome.result = pipeline::quantize_model(model, images, how);
  } else {
    how.tuning_progress = {};  // Of each step: the steps themselves are what is looked at.
    outcome.partial = sensitivity::keep_sensitive_layers_in_float(
        model, rounded, profile, search, how,
        {.max_drop = *automatic.max_drop, .report = print_now});
    outcome.result = outcome.partial->quantized;
  }
  if (arguments.explain) outcome.improvements = explain(model, images, how);
}

/// The plan alone may be the one that was read: it is written as it was.
void require_outputs(const QuantizeArguments& arguments) {
  const fs::path& plan = arguments.plan;
  const std::array inputs{arguments.model.one(), arguments.data, arguments.automatic.sensitivity,
                          plan, plan.empty() ? plan : pipeline::codes_path(plan)};
  const std::span<const fs::path> without_plan = std::span(inputs).first(3);
  require_writable(arguments.out, inputs);
  require_writable(arguments.save_plan, without_plan);
  require_other_files(std::array{pipeline::codes_path(arguments.save_plan)}, without_plan);
  require_writable(arguments.json.file, inputs);
  if (arguments.run.given()) require_writable(arguments.run_file(".quantize.json"), inputs);
}

void run_quantize(QuantizeArguments arguments) {
  const auto start = std::chrono::steady_clock::now();
  arguments.automatic.take_from(arguments.how.skip_layers);
  arguments.how.quantize_options();  // Fails before anything is read.
  const fs::path source = arguments.model.one();
  if (arguments.out.empty())
    arguments.out = arguments.run / (source.stem().string() + "-int8.onnx");
  if (arguments.save_plan.empty()) {
    arguments.save_plan = fs::path(arguments.out).replace_extension(".plan.yaml");
  }
  require_outputs(arguments);
  if (arguments.data.empty() && arguments.plan.empty()) {
    fail(ErrorCode::bad_usage, "--data is required: its images are what to calibrate on");
  }

  std::vector<fs::path> images;
  sensitivity::LabelledImages search;
  pipeline::ModelOptions load{.size = arguments.size.size(),
                              .hints = arguments.model.hints(),
                              .dynamic = arguments.dynamic};
  if (!arguments.data.empty()) {
    const dataset::Dataset dataset = dataset::read_data_yaml(arguments.data);
    load.hints.names = dataset.names;
    images = dataset::list_images(dataset, arguments.how.split);
    if (arguments.automatic.until_drop) {
      search = arguments.automatic.search(dataset, arguments.how);
    }
  }
  const pipeline::DetectionModel model = pipeline::load_model(source, load);
  if (arguments.automatic.until_drop) print_notices(search.truth, model.head, load.hints.names);
  Outcome outcome;
  const std::size_t count = arguments.how.image_count();
  if (!arguments.plan.empty()) {
    outcome.result = apply_plan(arguments, model, pipeline::pick_images(images, count));
  } else {
    if (images.size() < count) {
      fmt::print("notice: {} images asked for, '{}' has {}\n", count, arguments.how.split,
                 images.size());
    }
    quantize(arguments, model, images, search, outcome);
  }
  if (arguments.verify && outcome.result.images.empty()) {
    outcome.verification.notices.emplace_back(
        "not verified: there are no images to compare on; give --data");
  } else if (arguments.verify) {
    outcome.verification = pipeline::verify_once(model, outcome.result.graph, outcome.result.images,
                                                 arguments.how.cache);
  }
  for (std::string& notice : plan_notices(arguments, model, outcome)) {
    outcome.verification.notices.push_back(std::move(notice));
  }
  auto files = pipeline::plan_files(outcome.result.plan, arguments.save_plan);
  const std::string graph_bytes = onnx::serialize(outcome.result.graph);
  files.push_back({arguments.out, graph_bytes});
  const auto& ranges = outcome.result.calibration.ranges;
  if (arguments.run.given() && !ranges.tensors.empty()) {
    files.push_back({arguments.run_file(".ranges"), calibrate::serialize(ranges)});
  }
  outcome.hash = hash_of(graph_bytes);
  write_files(files);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report(arguments, outcome);
  if (outcome.partial && !outcome.partial->choice.met) {
    fail(ErrorCode::below_target, "{}: {}", arguments.out.string(), outcome.partial->choice.reason);
  }
}

}  // namespace

void declare_quantize(CLI::App& app) {
  const auto arguments = std::make_shared<QuantizeArguments>();
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->json.declare(app);
  arguments->run.declare(app);
  app.add_option("--data", arguments->data, "data set yaml");
  arguments->how.declare_calibration(app);
  arguments->how.declare_layers(app, "auto (see --max-drop) or auto:N, the N most sensitive");
  arguments->automatic.declare(app);
  arguments->how.declare_placement(app);
  arguments->how.declare_tuning(app);
  app.add_flag("--dynamic", arguments->dynamic, "leave batch and size of a checkpoint open");
  app.add_flag("!--no-verify", arguments->verify, "do not compare the engine with its reference");
  app.add_flag("--explain", arguments->explain,
               "quantize with one improvement after the other and say what each gave");
  app.add_option("--plan", arguments->plan, "apply this plan file instead of calibrating");
  app.add_option("--save-plan", arguments->save_plan, "default: beside the output");
  app.add_option("--out", arguments->out, "default: <model>-int8.onnx");
  app.callback([arguments, &app] {
    if (!arguments->plan.empty()) {
      PlanArguments::refuse_beside_plan(app);
      constexpr std::array<std::string_view, 2> kOfCalibration{"--backend", "--annotations"};
      refuse_options(app, kOfCalibration, "--plan: nothing is calibrated");
    }
    run_quantize(*arguments);
  });
}

}  // namespace yoloq::cli
