// SPDX-License-Identifier: Apache-2.0
#include "cli/gpu_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/arguments.h"
#include "cli/progress_bar.h"
#include "cli/table.h"
#include "core/error.h"
#include "pipeline/native_ptq.h"
#include "quantize/layers.h"

namespace yoloq::cli {

namespace {

/// "8" or "8x3x640x640".
Shape shape_of(const std::string& text, vision::Size size) {
  Shape shape;
  const char* place = text.data();
  const char* end = place + text.size();
  while (place <= end) {
    std::int64_t side = 0;
    const auto [next, problem] = std::from_chars(place, end, side);
    const bool separated = next == end || *next == 'x';
    if (problem != std::errc() || !separated || side < 1) break;
    shape.push_back(side);
    place = next + 1;
  }
  const bool whole = place == end + 1;
  if (whole && shape.size() == 1) return {shape.front(), 3, size.height, size.width};
  if (whole && shape.size() == 4) return shape;
  fail(ErrorCode::bad_argument, "'{}' is neither a batch such as 8 nor a shape such as 8x3x640x640",
       text);
}

runtime::FloatType float_type_of_rule(const std::string& rule, std::size_t equals) {
  const std::string type = rule.substr(equals + 1);
  if (type == "fp32" || type == "fp16") return runtime::float_type_of(type);
  fail(ErrorCode::bad_argument, "--layer-precision '{}': here it is name=fp32|fp16", rule);
}

}  // namespace

void ShapeArguments::declare(CLI::App& app) {
  app.add_option("--min-shape", least, "smallest batch (1) or shape (1x3x320x320) to build for");
  app.add_option("--opt-shape", best, "the one to tune for");
  app.add_option("--max-shape", most, "the largest");
}

std::optional<runtime::ShapeProfile> ShapeArguments::profile(vision::Size size) const {
  if (!given()) return std::nullopt;
  const std::string& middle = !best.empty() ? best : !most.empty() ? most : least;
  return runtime::ShapeProfile{.least = shape_of(least.empty() ? middle : least, size),
                               .best = shape_of(middle, size),
                               .most = shape_of(most.empty() ? middle : most, size)};
}

void BuilderArguments::declare(CLI::App& app) {
  app.add_option("--workspace", workspace_mib,
                 "MiB of GPU memory that a build may try kernels with; 0: all")
      ->capture_default_str();
  app.add_option(
      "--timing-cache", timing_cache,
      "file of kernel times: read if it is there, written with what this build measured");
  app.add_option("--tactic-sources", tactic_sources,
                 "kernels to try (+) or to leave out (-), as trtexec calls them: "
                 "--tactic-sources=-JIT_CONVOLUTIONS,-EDGE_MASK_CONVOLUTIONS")
      ->delimiter(',');
}

void BuilderArguments::apply(runtime::GpuOptions& options) const {
  options.workspace_mib = workspace_mib;
  options.timing_cache = timing_cache;
  require_writable(timing_cache);
  for (const std::string& source : tactic_sources) {
    if (source.empty() || (source.front() != '+' && source.front() != '-')) {
      fail(ErrorCode::bad_argument,
           "--tactic-sources '{}': write +NAME to try such kernels, -NAME to leave them out",
           source);
    }
    options.kernel_sources[source.substr(1)] = source.front() == '+';
  }
}

void NativePtqArguments::declare(CLI::App& app) {
  app.add_option("--native-ptq", method,
                 "let TensorRT (up to version 10) calibrate a float model: minmax, entropy, "
                 "entropy-legacy, percentile")
      ->transform(other_name("min-max", "minmax"));
  CLI::Option* number = app.add_option("--num-calib-batch", batches,
                                       "with --native-ptq: batches of --batch-size images")
                            ->check(CLI::Range(1, 100000))
                            ->capture_default_str();
  app.add_option("--num-calib-images", calibration_images,
                 "with --native-ptq, instead: images in all")
      ->check(CLI::Range(1, 1000000))
      ->excludes(number);
  app.add_option("--skip-layers", skip_layers,
                 "with --native-ptq: layers to keep in float, as in 'yoloq quantize'")
      ->delimiter(',');
  app.add_option("--layer-precision", layer_precision, "with --native-ptq: name=fp32|fp16")
      ->delimiter(',');
  app.add_option("--cache", cache, "folder of calibration caches; '' for none")
      ->capture_default_str();
}

void NativePtqArguments::apply(runtime::GpuOptions& options, const pipeline::DetectionModel& model,
                               std::span<const std::filesystem::path> images,
                               int batch_size) const {
  if (!given()) {
    if (skip_layers.empty() && layer_precision.empty()) return;
    fail(ErrorCode::bad_usage,
         "--skip-layers and --layer-precision go with --native-ptq; for a Q/DQ file give them to "
         "'yoloq quantize'");
  }
  const auto layers = quantize::quantizable_layers(model.fixed);
  std::map<int, runtime::FloatType> types;
  for (const std::string& pattern : skip_layers) {
    for (const int id : quantize::matching_layers(layers, pattern)) {
      types[id] = runtime::FloatType::f32;
    }
  }
  for (const std::string& rule : layer_precision) {
    const auto equals = rule.rfind('=');
    if (equals == std::string::npos) float_type_of_rule(rule, rule.size());
    const auto type = float_type_of_rule(rule, equals);
    for (const int id : quantize::matching_layers(layers, rule.substr(0, equals))) types[id] = type;
  }
  std::vector<std::vector<std::string>> table{{"layer", "id", "may run in"}};
  for (const quantize::Layer& layer : layers) {
    const auto type = types.find(layer.id);
    table.push_back({layer.name, std::to_string(layer.id),
                     type == types.end() ? "int8" : std::string(runtime::name_of(type->second))});
    if (type != types.end()) options.float_layers.push_back({layer.name, type->second});
  }
  fmt::print("{}", to_table(table));

  const Shape fixed{model.batch, 3, model.size.height, model.size.width};
  options.native_ptq = pipeline::native_ptq(
      model, images,
      {.method = method,
       .batch = options.shapes ? options.shapes->best : fixed,
       .images = calibration_images.value_or(static_cast<std::size_t>(batch_size) *
                                             static_cast<std::size_t>(batches)),
       .cache = cache,
       .progress = progress_bar("calibrate")});
}

}  // namespace yoloq::cli
