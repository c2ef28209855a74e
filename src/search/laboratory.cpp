// SPDX-License-Identifier: Apache-2.0
#include "search/laboratory.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "graph/summary.h"
#include "quantize/keep_float.h"
#include "runtime/measure.h"
#include "search/tensor_calibrators.h"
#include "sensitivity/methods.h"
#include "sensitivity/prediction_loss.h"

namespace yoloq::search {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// An engine keeps the memory that it got when it was compiled, and is a few percent faster or
/// slower for it: times are medians over so many pairs of engines.
constexpr int kPairs = 3;
constexpr runtime::CompareOptions kTurns{.rounds = 5, .seconds_per_turn = 0.25};

/// Images to choose calibrators of single tensors by: thousands of predictions each.
constexpr std::size_t kTensorImages = 8;

/// A layer is taken to cost at least this part of a model's time in float: for conversions.
constexpr double kLeastShare = 0.005;

constexpr std::pair<std::string_view, Objective> kObjectives[] = {
    {"latency", Objective::latency}, {"throughput", Objective::throughput}};

/// The default as fast as it is made: tuning does not change its speed.
Candidate untuned() {
  Candidate candidate = default_candidate();
  candidate.tuning = false;
  return candidate;
}

std::span<const fs::path> first_of(const std::vector<fs::path>& images, std::size_t count) {
  return std::span(images).first(std::min(count, images.size()));
}

}  // namespace

Objective objective_named(std::string_view name) {
  for (const auto& [known, objective] : kObjectives) {
    if (known == name) return objective;
  }
  fail(ErrorCode::bad_argument, "no objective '{}'; known: latency, throughput", name);
}

std::string_view name_of(Objective objective) {
  return objective == Objective::latency ? "latency" : "throughput";
}

Laboratory::Laboratory(const pipeline::DetectionModel& model, const Images& images,
                       Journal& journal, LaboratoryOptions options)
    : model_(model), images_(images), journal_(journal), options_(std::move(options)) {}

pipeline::QuantizationOptions Laboratory::options_of(const Candidate& candidate) {
  pipeline::QuantizationOptions how{.quantize = {.target = options_.target,
                                                 .residual = candidate.residual,
                                                 .calibrator = candidate.calibrator.name,
                                                 .percentile = candidate.calibrator.percentile,
                                                 .object_weight = candidate.object_weight,
                                                 .reduce_range = options_.reduce_range},
                                    .images = candidate.images,
                                    .cache = options_.cache,
                                    .threads = options_.threads,
                                    .tune_weights = candidate.tuning,
                                    .bias_correction = candidate.tuning,
                                    .tuning_images = candidate.tuning_images,
                                    .tuning = {.ridge = candidate.ridge},
                                    .progress = options_.progress,
                                    .tuning_progress = options_.progress};
  for (const std::string& layer : candidate.float_layers) {
    how.quantize.rules.push_back({layer, quantize::Precision::fp32, "search"});
  }
  if (candidate.by_tensor) how.quantize.tensor_calibrators = tensor_calibrators(candidate);
  return how;
}

std::map<std::string, quantize::CalibratorChoice> Laboratory::tensor_calibrators(
    const Candidate& candidate) {
  Candidate plain = default_candidate();  // What is best for a tensor hardly depends on the rest.
  plain.calibrator = candidate.calibrator;
  const std::string text = journal_.answer("calibrators by tensor, " + text_of(plain), [&] {
    pipeline::QuantizationOptions how = options_of(plain);
    how.tune_weights = how.bias_correction = false;
    const auto rounded = pipeline::quantize_model(model_, images_.calibration, how);
    Json json = Json::object();
    for (const auto& [tensor, choice] :
         choose_tensor_calibrators(model_, how.quantize, rounded.calibration.ranges,
                                   first_of(rounded.images, kTensorImages),
                                   {.threads = options_.threads, .progress = options_.progress})) {
      json[tensor] = {choice.name, choice.percentile};
    }
    return json.dump();
  });
  std::map<std::string, quantize::CalibratorChoice> chosen;
  const Json json = Json::parse(text);
  for (const auto& [tensor, choice] : json.items()) {
    chosen[tensor] = {choice.at(0).get<std::string>(), choice.at(1).get<double>()};
  }
  return chosen;
}

pipeline::QuantizedModel Laboratory::make(const Candidate& candidate) {
  return pipeline::quantize_model(model_, images_.calibration, options_of(candidate));
}

const graph::Graph& Laboratory::graph_of(const Candidate& candidate) {
  const std::string text = text_of(candidate);
  if (!latest_ || latest_->first != text) latest_.emplace(text, make(candidate).graph);
  return latest_->second;
}

double Laboratory::loss(const Candidate& candidate) {
  return journal_.number("loss, " + text_of(candidate), [&] {
    return sensitivity::prediction_losses(
               model_, {&graph_of(candidate), 1}, images_.loss,
               {.threads = options_.threads, .progress = options_.progress})
        .front();
  });
}

double Laboratory::ap(const Candidate& candidate) {
  return journal_.number("AP, " + text_of(candidate), [&] {
    return sensitivity::ap_of(model_, graph_of(candidate), images_.search,
                              {.backend = options_.backend, .threads = options_.threads},
                              options_.progress);
  });
}

void Laboratory::calibrate_ahead(const std::vector<std::size_t>& counts) {
  std::vector<std::size_t> all = counts;
  all.push_back(std::min(default_candidate().images, images_.calibration.size()));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  journal_.answer("calibration ahead", [&] {
    pipeline::calibrate_ahead(model_, images_.calibration, all, options_of(default_candidate()));
    return std::string("done");
  });
}

double Laboratory::float_ap() {
  return journal_.number("AP, float", [&] {
    return sensitivity::ap_of(model_, model_.graph, images_.search,
                              {.backend = options_.backend, .threads = options_.threads},
                              options_.progress);
  });
}

std::shared_ptr<runtime::Engine> Laboratory::compile(const graph::Graph& graph) const {
  runtime::EngineOptions engine{.backend = options_.backend, .threads = options_.threads};
  if (options_.objective == Objective::latency) {
    engine.mode = runtime::Mode::latency;
    engine.threads = 1;
  }
  return runtime::compile(pipeline::with_input(graph, 1, model_.size), engine);
}

const graph::Graph& Laboratory::reference() {
  if (!reference_) reference_ = make(untuned()).graph;
  return *reference_;
}

std::vector<std::string> Laboratory::notices() { return compile(reference())->notices(); }

double Laboratory::time_of(const graph::Graph& graph) {
  const bool by_processor =
      options_.objective == Objective::latency && options_.backend == "openvino";
  std::vector<double> times;
  for (int i = 0; i < kPairs; ++i) {
    const auto base = compile(reference());
    const auto engine = compile(graph);
    const auto inputs = runtime::random_inputs(*engine);
    const auto report = runtime::compare({*base, inputs}, {*engine, inputs}, kTurns);
    times.push_back(1 / (by_processor ? report.cpu_ratio : report.ratio));
  }
  std::ranges::sort(times);
  return times[kPairs / 2];
}

double Laboratory::time(const Candidate& candidate) {
  const std::string structure = structure_of(candidate);
  if (structure == structure_of(default_candidate())) return 1;
  return journal_.number("time, " + structure, [&] { return time_of(graph_of(candidate)); });
}

double Laboratory::float_time() {
  return journal_.number("time, float", [&] { return time_of(model_.graph); });
}

double Laboratory::reference_ms() {
  return journal_.number("milliseconds, default", [&] {
    const auto engine = compile(reference());
    const auto inputs = runtime::random_inputs(*engine);
    if (options_.objective == Objective::throughput) {
      return 1000 / runtime::measure_throughput(*engine, inputs).images_per_second;
    }
    const auto report = runtime::measure_latency(*engine, inputs);
    return options_.backend == "openvino" ? report.cpu_ms : report.p50_ms;
  });
}

std::vector<std::string> Laboratory::layers_by_worth() {
  const std::string text = journal_.answer("layers by worth", [&] {
    const auto rounded = make(untuned());
    const auto images = pipeline::pick_images(images_.calibration, sensitivity::kFastImages);
    const auto profile =
        sensitivity::fast_profile({.model = model_, .plan = rounded.plan, .images = images},
                                  {.threads = options_.threads, .progress = options_.progress});
    std::map<std::string, double> macs;
    double all = 0;
    const graph::Graph fixed = pipeline::with_input(model_.graph, 1, model_.size);
    for (const graph::NodeSummary& node : graph::summarize(fixed).nodes) {
      macs[node.name] = static_cast<double>(node.macs.value_or(0));
      all += macs[node.name];
    }
    std::vector<std::pair<double, std::string>> worth;
    for (const sensitivity::LayerCost& layer : profile.layers) {
      worth.emplace_back(-layer.cost / (macs[layer.name] / all + kLeastShare), layer.name);
    }
    std::ranges::sort(worth);
    Json json = Json::array();
    for (const auto& [ratio, layer] : worth) json.push_back(layer);
    return json.dump();
  });
  return Json::parse(text).get<std::vector<std::string>>();
}

}  // namespace yoloq::search
