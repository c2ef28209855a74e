// SPDX-License-Identifier: Apache-2.0
#include "search/tensor_calibrators.h"

#include <algorithm>
#include <vector>

#include "quantize/apply.h"
#include "runtime/literal_float.h"
#include "sensitivity/prediction_loss.h"

namespace yoloq::search {

namespace fs = std::filesystem;
using quantize::CalibratorChoice;

namespace {

/// Another calibrator has to take this part off the loss.
constexpr double kClearGain = 0.1;

/// Scales that differ by less than this part are taken for one.
constexpr float kSameScale = 0.08f;

/// One activation with one quantizer, all else float.
struct Trial {
  std::string tensor;
  CalibratorChoice calibrator;
  quantize::Quantizer quantizer;
  double loss = 0;
};

bool is_same(const quantize::Quantizer& a, const quantize::Quantizer& b) {
  return std::abs(a.scale / b.scale - 1) < kSameScale;
}

/// The trials of one tensor; the usual calibrator comes first.
std::vector<Trial> trials_of(const std::string& tensor, const pipeline::DetectionModel& model,
                             const quantize::Settings& settings, const quantize::Options& how,
                             const calibrate::Ranges& ranges) {
  std::vector<Trial> trials;
  const auto add = [&](const CalibratorChoice& calibrator) {
    const Trial trial{
        tensor, calibrator,
        quantize::quantizer_by(calibrator, model.graph, settings, how, ranges, tensor)};
    const bool known = std::ranges::any_of(
        trials, [&](const Trial& other) { return is_same(trial.quantizer, other.quantizer); });
    if (!known) trials.push_back(trial);
  };
  add({how.calibrator, how.percentile});
  for (const char* name : {"mse", "min-max"}) add({name, how.percentile});
  for (const double percentile : {99.99, 99.999}) add({"percentile", percentile});
  return trials;
}

graph::Graph graph_of(const Trial& trial, const graph::Graph& model, const quantize::Plan& plan) {
  quantize::Plan alone{.target = plan.target, .layers = plan.layers};
  for (quantize::LayerPlan& layer : alone.layers) layer.precision = quantize::Precision::fp32;
  for (const quantize::ActivationPlan& activation : plan.activations) {
    if (activation.tensor != trial.tensor) continue;
    alone.activations.push_back(activation);
    alone.activations.back().quantizer = trial.quantizer;
  }
  return runtime::literal_float(quantize::apply(model, alone));
}

}  // namespace

std::map<std::string, CalibratorChoice> choose_tensor_calibrators(
    const pipeline::DetectionModel& model, const quantize::Options& how,
    const calibrate::Ranges& ranges, std::span<const fs::path> images,
    const TensorCalibratorOptions& options) {
  const quantize::Settings settings = quantize::settle(model.graph, how);
  const quantize::Plan plan = quantize::make_plan(model.graph, settings, how, ranges);
  const graph::Graph base = pipeline::with_input(model.graph, 1, model.size);
  std::vector<Trial> trials;
  for (const std::string& tensor : quantize::observed_tensors(settings)) {
    auto some = trials_of(tensor, model, settings, how, ranges);
    if (some.size() > 1) std::ranges::move(some, std::back_inserter(trials));
  }
  for (std::size_t first = 0; first < trials.size(); first += options.group) {
    const auto group =
        std::span(trials).subspan(first, std::min(options.group, trials.size() - first));
    std::vector<graph::Graph> graphs;
    for (const Trial& trial : group) graphs.push_back(graph_of(trial, base, plan));
    const auto losses =
        sensitivity::prediction_losses(model, graphs, images, {.threads = options.threads});
    for (std::size_t i = 0; i < group.size(); ++i) group[i].loss = losses[i];
    if (options.progress) options.progress(first + group.size(), trials.size());
  }
  std::map<std::string, CalibratorChoice> chosen;
  for (auto first = trials.begin(); first != trials.end();) {
    const auto end = std::find_if(
        first, trials.end(), [&](const Trial& other) { return other.tensor != first->tensor; });
    const auto best = std::ranges::min_element(first, end, {}, &Trial::loss);
    if (best->loss < first->loss * (1 - kClearGain)) chosen[best->tensor] = best->calibrator;
    first = end;
  }
  return chosen;
}

}  // namespace yoloq::search
