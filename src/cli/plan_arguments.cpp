// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>

#include "calibrate/calibrator.h"
#include "cli/progress_bar.h"
#include "core/error.h"
#include "quantize/target.h"

namespace yoloq::cli {

namespace {

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

std::optional<quantize::Residual> residual_mode(const std::string& name) {
  return name.empty() ? std::nullopt : std::optional(quantize::residual_named(name));
}

/// "a, b, c" of a table's rows.
std::string names_of(const auto& rows) {
  std::string names;
  for (const auto& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

}  // namespace

quantize::Precision PlanArguments::float_precision() const {
  return quantize::float_type_named(float_type.empty() ? "fp32" : float_type);
}

quantize::Options PlanArguments::quantize_options() const {
  quantize::Options options{.target = target,
                            .residual = residual_mode(residual),
                            .calibrator = calibrator,
                            .percentile = percentile,
                            .object_weight = object_weight,
                            .per_tensor_weights = per_tensor,
                            .weight_scale = quantize::weight_scale_named(weight_scale),
                            .reduce_range = reduce_range,
                            .float_type = float_precision()};
  for (const std::string& pattern : skip_layers) {
    options.rules.push_back({pattern, options.float_type, "--skip-layers " + pattern});
  }
  for (const std::string& text : layer_precision) options.rules.push_back(rule_of(text));
  calibrate::find_calibrator(options.calibrator);  // Fails before anything is read.
  quantize::target_named(options.target);
  return options;
}

pipeline::QuantizationOptions PlanArguments::pipeline_options() const {
  return {.quantize = quantize_options(),
          .images = image_count(),
          .cache = cache,
          .threads = threads,
          .backend = backend,
          .skip_bad = skip_bad,
          .tune_weights = tuning,
          .bias_correction = bias_correction,
          .tuning_images = tuning_images,
          .progress = progress_bar("calibrate"),
          .tuning_progress = progress_bar("tune"),
          .range_progress = progress_bar("ranges")};
}

void PlanArguments::refuse_beside_plan(const CLI::App& app) {
  constexpr std::array<std::string_view, 18> kOfPlans{
      "--target",       "--calibrator",        "--percentile",  "--object-weight",
      "--skip-layers",  "--layer-precision",   "--residual",    "--per-tensor",
      "--reduce-range", "--weight-scale",      "--no-tuning",   "--tuning-images",
      "--tuning",       "--max-drop",          "--sensitivity", "--search-images",
      "--explain",      "--no-bias-correction"};
  refuse_options(app, kOfPlans, "--plan, which is applied as it is; edit the file instead");
}

void PlanArguments::declare_calibrator(CLI::App& app) {
  app.add_option("--target", target, names_of(quantize::targets()))->capture_default_str();
  app.add_option("--calibrator", calibrator, names_of(calibrate::calibrators()))
      ->transform(other_name("minmax", "min-max"))
      ->capture_default_str();
  app.add_option("--percentile", percentile, "of the calibrator of that name, in percent")
      ->capture_default_str();
  app.add_option("--object-weight", object_weight,
                 "how many times more a value at an object counts; 0: as any other")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--cache", cache, "folder of calibration caches; '' for none")
      ->capture_default_str();
}

void PlanArguments::declare_calibration(CLI::App& app) {
  declare_calibrator(app);
  app.add_option("--batch-size,--batch", batch_size, "images per calibration batch")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  CLI::Option* number = app.add_option("--num-calib-batch", batches, "calibration batches")
                            ->check(CLI::Range(1, 100000))
                            ->capture_default_str();
  app.add_option("--num-calib-images", images, "instead: calibration images in all")
      ->check(CLI::Range(1, 1000000))
      ->excludes(number);
  app.add_option("--split", split, "split to calibrate on")->capture_default_str();
  app.add_flag("--skip-bad", skip_bad, "leave out images that do not decode");
  app.add_option("--backend", backend,
                 "runtime that computes what is calibrated and profiled on: openvino, torch, "
                 "torch-cuda (a GPU)")
      ->capture_default_str();
  app.add_option("--threads", threads, "0: all that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void PlanArguments::declare_layers(CLI::App& app, const std::string& automatic) {
  app.add_option("--skip-layers", skip_layers,
                 "layers to keep in float: names, globs or ids, separated by commas; " + automatic)
      ->delimiter(',');
  app.add_option("--layer-precision", layer_precision,
                 "name=fp32|fp16|int8, separated by commas; later ones win")
      ->delimiter(',');
  app.add_option("--float-type", float_type,
                 "type of what is not int8: fp32, fp16; of a plan, its own")
      ->check(CLI::IsMember({"fp32", "fp16"}));
}

void PlanArguments::declare_placement(CLI::App& app) {
  app.add_option("--residual", residual,
                 "quantized inputs of an Add: one, both, none (default: the target's)");
  app.add_flag("--per-tensor", per_tensor, "one weight scale per layer, not per channel");
  app.add_flag("--reduce-range", reduce_range,
               "weight codes -64..64: int8 also on CPUs without VNNI, at some cost in accuracy");
  app.add_option("--weight-scale", weight_scale, "weight scales by mse or max")
      ->capture_default_str();
}

void PlanArguments::declare_tuning(CLI::App& app) {
  app.add_flag("!--no-tuning", tuning,
               "round weights to nearest instead of making up for quantization errors");
  app.add_option("--tuning-images", tuning_images, "images for weight tuning and bias correction")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_flag("!--no-bias-correction", bias_correction,
               "leave biases as they are after quantization");
}

std::optional<std::string> foreign_plan_notice(const quantize::Plan& plan,
                                               const pipeline::DetectionModel& model) {
  const auto hash = plan.provenance.find("model_hash");
  if (hash == plan.provenance.end() || hash->second == model.hash) return std::nullopt;
  const auto name = plan.provenance.find("model");
  return fmt::format(
      "the plan was made for another file ('{}'): it fits if '{}' is the same model in another "
      "form; with other weights, quantize anew",
      name == plan.provenance.end() ? "?" : name->second, model.name);
}

}  // namespace yoloq::cli
