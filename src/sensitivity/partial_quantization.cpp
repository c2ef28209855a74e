// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/partial_quantization.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/file.h"
#include "quantize/apply.h"
#include "quantize/keep_float.h"
#include "runtime/measure.h"

namespace yoloq::sensitivity {

namespace fs = std::filesystem;

namespace {

constexpr runtime::CompareOptions kTurns{.rounds = 9, .seconds_per_turn = 0.25};

/// Makes and measures models with some layers in float.
class Trials {
 public:
  Trials(const pipeline::DetectionModel& model, const pipeline::QuantizedModel& rounded,
         const LabelledImages& search, const pipeline::QuantizationOptions& how)
      : model_(model), rounded_(rounded), search_(search), how_(how) {}

  /// Not tuned: it takes the same time.
  pipeline::QuantizedModel rounded_with(std::span<const std::string> layers) const {
    pipeline::QuantizedModel trial = rounded_;
    for (const std::string& layer : layers) {
      quantize::keep_float(trial.plan, layer, "--skip-layers auto");
    }
    trial.graph = quantize::apply_for_target(model_.graph, trial.plan);
    return trial;
  }

  pipeline::QuantizedModel tuned_with(std::span<const std::string> layers) const {
    pipeline::QuantizedModel trial = rounded_with(layers);
    pipeline::tune_plan(model_, trial, how_);
    return trial;
  }

  double ap_of(const graph::Graph& graph) const {
    return sensitivity::ap_of(model_, graph, search_, {.threads = how_.threads});
  }

  /// Processor time on one thread: what else runs on the machine does not count.
  double time(std::span<const std::string> layers) {
    if (layers.empty()) return 1;
    if (!full_engine_) full_engine_ = compile_for_time({});
    const auto engine = compile_for_time(layers);
    const auto inputs = runtime::random_inputs(*engine);
    return 1 / runtime::compare({*full_engine_, inputs}, {*engine, inputs}, kTurns).cpu_ratio;
  }

 private:
  std::shared_ptr<runtime::Engine> compile_for_time(std::span<const std::string> layers) const {
    return runtime::compile(pipeline::with_input(rounded_with(layers).graph, 1, model_.size),
                            {.mode = runtime::Mode::latency, .threads = 1});
  }

  const pipeline::DetectionModel& model_;
  const pipeline::QuantizedModel& rounded_;
  const LabelledImages& search_;
  const pipeline::QuantizationOptions& how_;
  std::shared_ptr<runtime::Engine> full_engine_;
};

/// The rows of `profile` whose layers `plan` quantizes.
Profile of_int8_layers(Profile profile, const quantize::Plan& plan) {
  std::erase_if(profile.layers, [&](const LayerCost& layer) {
    const auto row = std::ranges::find(plan.layers, layer.name, &quantize::LayerPlan::name);
    return row == plan.layers.end() || row->precision != quantize::Precision::int8;
  });
  return profile;
}

}  // namespace

PartialQuantization keep_sensitive_layers_in_float(const pipeline::DetectionModel& model,
                                                   const pipeline::QuantizedModel& rounded,
                                                   const Profile& profile,
                                                   const LabelledImages& search,
                                                   const pipeline::QuantizationOptions& how,
                                                   const PartialOptions& options) {
  require_profile_of(profile, model.graph);
  Trials trials(model, rounded, search, how);
  PartialQuantization result;
  result.float_ap = trials.ap_of(model.graph);
  result.choice = choose_float_layers(
      of_int8_layers(profile, rounded.plan), result.float_ap,
      {.ap = [&](auto layers) { return trials.ap_of(trials.tuned_with(layers).graph); },
       .time = [&](auto layers) { return trials.time(layers); }},
      options);
  result.time = trials.time(result.choice.float_layers);
  result.quantized = trials.tuned_with(result.choice.float_layers);
  return result;
}

std::size_t overlap(std::span<const fs::path> images, std::span<const fs::path> others) {
  std::multimap<std::string, fs::path> by_name;
  for (const fs::path& other : others) by_name.emplace(other.filename().string(), other);
  const auto is_among_others = [&](const fs::path& image) {
    const auto [first, last] = by_name.equal_range(image.filename().string());
    return std::any_of(first, last, [&](const auto& row) {
      return fs::equivalent(image, row.second) ||
             (fs::file_size(image) == fs::file_size(row.second) &&
              read_file(image) == read_file(row.second));
    });
  };
  return static_cast<std::size_t>(std::ranges::count_if(images, is_among_others));
}

}  // namespace yoloq::sensitivity
