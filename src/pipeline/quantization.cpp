// SPDX-License-Identifier: Apache-2.0
#include "pipeline/quantization.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/hash.h"
#include "core/version.h"
#include "pipeline/decodable.h"
#include "pipeline/float_types.h"
#include "pipeline/plan_file.h"
#include "pipeline/weight_tuning.h"
#include "quantize/apply.h"
#include "runtime/literal_float.h"
#include "runtime/measure.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

void note_provenance(quantize::Plan& plan, const DetectionModel& model,
                     const QuantizationOptions& options, const CalibrationResult& calibration) {
  plan.provenance = {{"tool", std::string("yoloq ") + kVersion},
                     {"model", model.name},
                     {"model_hash", model.hash},
                     {"calibrator", options.quantize.calibrator},
                     {"calibration_key", calibration.ranges.provenance.key},
                     {"images", std::to_string(calibration.ranges.provenance.images.size())},
                     {"preprocessing", calibration.ranges.provenance.preprocessing},
                     {"residual", std::string(name_of(quantize::residual_of(options.quantize)))}};
}

/// What the head's convolutions compute: A * (5 + classes) channels of logits each.
std::vector<std::string> head_values(const DetectionModel& model,
                                     const quantize::Settings& settings) {
  std::vector<std::string> values;
  for (const quantize::Layer& layer : settings.layers) {
    const std::int64_t channels = model.graph.constant(layer.weight)->shape()[0];
    if (layer.feeds_head && channels % (5 + model.head.class_count) == 0) {
      values.push_back(model.graph[layer.node].output());
    }
  }
  return values;
}

CalibrationOptions calibration_options(const DetectionModel& model,
                                       const quantize::Settings& settings,
                                       const QuantizationOptions& options) {
  return {.size = model.size,
          .cache = options.cache,
          .threads = options.threads,
          .backend = options.backend,
          .heads = head_values(model, settings),
          .classes = model.head.class_count,
          .skip_bad = options.skip_bad,
          .progress = options.progress,
          .processes = options.processes};
}

/// The first images of a list as engines take them, [N, 3, H, W], each repeated over the batch.
std::vector<runtime::Inputs> samples_of(std::span<const fs::path> images,
                                        const DetectionModel& model) {
  std::vector<runtime::Inputs> samples;
  const Shape shape{model.batch, 3, model.size.height, model.size.width};
  const auto batch = static_cast<std::size_t>(model.batch);
  for (const fs::path& path : images.first(std::min(kVerifyImages, images.size()))) {
    std::vector<float> canvas(static_cast<std::size_t>(element_count(shape)));
    const std::size_t length = canvas.size() / batch;
    const vision::Image image = vision::read_image(path);
    for (std::size_t slot = 0; slot < batch; ++slot) {
      vision::letterbox_into(std::span(canvas).subspan(slot * length, length), image,
                             {.size = model.size});
    }
    samples.push_back({Tensor::of(shape, canvas)});
  }
  return samples;
}

/// What a tuned plan depends on: the plan before tuning holds model-independent choices, the
/// calibration key holds model, size and images.
std::string tuning_key(const QuantizedModel& result, const WeightTuningOptions& tuning) {
  return Hasher()
      .add("yoloq tuning 2")
      .add(kVersion)
      .add(result.calibration.ranges.provenance.key)
      .add(quantize::to_yaml(result.plan))
      .add(fmt::format("{} {} {} {} {} {} {} {} {}", tuning.images, tuning.positions,
                       tuning.object_weight, tuning.weights, tuning.biases, tuning.tuning.ridge,
                       tuning.tuning.damping, tuning.tuning.scales, tuning.tuning.sweeps))
      .hex();
}

/// Tunes the plan's weights and biases, or takes them from the cache; true if it did.
bool tune(const DetectionModel& model, const quantize::Settings& settings, QuantizedModel& result,
          const QuantizationOptions& options) {
  const WeightTuningOptions tuning{.size = model.size,
                                   .images = options.tuning_images,
                                   .heads = head_values(model, settings),
                                   .classes = model.head.class_count,
                                   .object_weight = options.quantize.object_weight,
                                   .weights = options.tune_weights,
                                   .biases = options.bias_correction,
                                   .tuning = options.tuning,
                                   .threads = options.threads,
                                   .progress = options.tuning_progress};
  const fs::path cached = options.cache / (tuning_key(result, tuning) + ".plan.yaml");
  const bool caching = !options.cache.empty() && result.calibration.skipped.empty();
  if (caching && fs::exists(cached)) {
    try {
      result.plan = read_plan(cached);
      return true;
    } catch (const Error& error) {  // Broken: made anew below.
      if (error.code() != ErrorCode::corrupt_file) throw;
    }
  }
  tune_weights(with_input(model.graph, 1, model.size), result.plan, result.images, tuning);
  if (caching) write_plan(result.plan, cached);
  return false;
}

/// What comes behind the choice of scales.
void finish_plan(const DetectionModel& model, const quantize::Settings& settings,
                 QuantizedModel& result, const QuantizationOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  result.tuning_cached = tune(model, settings, result, options);
  result.tuning_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (result.plan.float_type == quantize::Precision::fp16) {
    keep_wide_nodes_in_fp32(model.graph, result.plan, observer(model, result.images, options));
  }
}

}  // namespace

void calibrate_ahead(const DetectionModel& model, std::span<const fs::path> images,
                     std::span<const std::size_t> counts, const QuantizationOptions& options) {
  if (options.cache.empty()) {
    fail(ErrorCode::bad_argument, "calibration ahead of time needs a cache folder");
  }
  const quantize::Settings settings = quantize::settle(model.graph, options.quantize);
  calibrate_growing_sets(with_input(model.graph, 1, model.size),
                         quantize::observed_tensors(settings), images, counts,
                         calibration_options(model, settings, options));
}

QuantizedModel quantize_model(const DetectionModel& model, std::span<const fs::path> images,
                              const QuantizationOptions& options) {
  if (is_quantized(model.graph)) {
    fail(ErrorCode::bad_argument, "'{}' is quantized already: give the float model", model.name);
  }
  QuantizedModel result{.images = pick_images(images, options.images)};
  const quantize::Settings settings = quantize::settle(model.graph, options.quantize);
  result.calibration =
      calibrate_model(with_input(model.graph, 1, model.size), quantize::observed_tensors(settings),
                      result.images, calibration_options(model, settings, options));
  if (!result.calibration.skipped.empty()) result.images = decodable(result.images).images;
  const auto plan_by_ranges = [&] {
    result.plan =
        quantize::make_plan(model.graph, settings, options.quantize, result.calibration.ranges);
    finish_plan(model, settings, result, options);
  };
  plan_by_ranges();
  if (options.second_pass) {
    const graph::Graph rounding = runtime::literal_float(
        quantize::apply(with_input(model.graph, 1, model.size), result.plan));
    result.calibration =
        calibrate_model(rounding, quantize::observed_tensors(settings), result.images,
                        calibration_options(model, settings, options));
    plan_by_ranges();
  }
  note_provenance(result.plan, model, options, result.calibration);
  result.graph = quantize::apply_for_target(model.graph, result.plan);
  return result;
}

void tune_plan(const DetectionModel& model, QuantizedModel& rounded,
               const QuantizationOptions& options) {
  finish_plan(model, quantize::settle(model.graph, options.quantize), rounded, options);
  note_provenance(rounded.plan, model, options, rounded.calibration);
  rounded.graph = quantize::apply_for_target(model.graph, rounded.plan);
}

Observe observer(const DetectionModel& model, std::span<const fs::path> images,
                 const QuantizationOptions& options) {
  return [&model, images, &options](const std::vector<std::string>& tensors) {
    return calibrate_model(with_input(model.graph, 1, model.size), tensors, images,
                           {.size = model.size,
                            .cache = options.cache,
                            .threads = options.threads,
                            .backend = options.backend,
                            .skip_bad = options.skip_bad,
                            .progress = options.range_progress})
        .ranges;
  };
}

Verification verify_quantized(const DetectionModel& model, const graph::Graph& quantized,
                              std::span<const fs::path> images) {
  const graph::Graph fixed = with_input(quantized, model.batch, model.size);
  const auto engine = runtime::compile(fixed, {.mode = runtime::Mode::latency});
  auto checks = runtime::check_outputs(*engine, {.quantized = fixed, .model = &model.fixed},
                                       samples_of(images, model));
  runtime::require_faithful(checks);
  return {.checks = std::move(checks), .notices = engine->notices()};
}

std::vector<runtime::OutputCheck> verify_engine(runtime::Engine& engine,
                                                const DetectionModel& quantized,
                                                std::span<const fs::path> images) {
  std::vector<runtime::Inputs> samples = samples_of(images, quantized);
  if (samples.empty()) samples.push_back(runtime::random_inputs(engine));
  auto checks = runtime::check_outputs(engine, {.quantized = quantized.fixed}, samples);
  runtime::require_faithful(checks);
  return checks;
}

}  // namespace yoloq::pipeline
