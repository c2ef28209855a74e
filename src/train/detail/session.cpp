// SPDX-License-Identifier: Apache-2.0
#include "train/detail/session.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "quantize/joint_scales.h"
#include "runtime/torch/device.h"
#include "runtime/torch/errors.h"
#include "runtime/torch/tensors.h"
#include "train/detail/distillation.h"
#include "train/detail/features.h"
#include "train/detail/loss.h"
#include "train/detail/state.h"
#include "train/detail/synchronised_norm.h"

namespace yoloq::train::detail {

using runtime::torch::from_torch;
using runtime::torch::is_out_of_memory;
using runtime::torch::Network;
using runtime::torch::to_torch;

namespace {

/// What is added to the outputs of a Conv: its own bias, or beta of the BatchNormalization behind
/// it; empty if there is neither.
std::string bias_of(const graph::Graph& graph, const graph::Node& conv) {
  const std::string& own = graph::input_or_empty(conv, 2);
  if (!own.empty()) return own;
  const auto uses = graph.uses(conv.output());
  if (uses.size() != 1) return {};
  const graph::Node& next = graph[uses.front().node];
  return next.op == "BatchNormalization" ? graph::input_or_empty(next, 2) : std::string();
}

/// Where tuned codes and shifted biases are what the PTQ model computes with, training starts from
/// what they stand for.
void start_from_plan(Network& network, const quantize::Plan& plan) {
  const graph::Graph& graph = network.graph();
  const c10::NoGradGuard guard;
  for (const quantize::WeightPlan& weight : plan.weights) {
    if (!weight.on) continue;
    if (weight.codes) {
      network.constants().at(weight.tensor) =
          to_torch(quantize::dequantize_weight(*weight.codes, weight.scales), network.device());
    }
    if (weight.bias_shift.empty()) continue;
    for (const graph::Use& use : graph.uses(weight.tensor)) {
      const std::string bias = bias_of(graph, graph[use.node]);
      if (bias.empty()) {
        fail(ErrorCode::unsupported, "layer '{}' has no bias to shift", weight.layer);
      }
      network.constants().at(bias).add_(
          to_torch(Tensor::list(weight.bias_shift), network.device()));
    }
  }
}

/// What student and teacher compute.
graph::Graph compared_model(const Job& job) {
  return job.recipe.feature_gain > 0 ? with_features(job.model, job.head) : job.model;
}

Network make_network(const Job& job, const graph::Graph& model, c10::Device device) {
  Network network(model, device);
  if (job.plan) {
    start_from_plan(network, *job.plan);
    network.quantize(*job.plan);
  }
  return network;
}

std::vector<std::vector<std::string>> joint_scales_of(const Job& job) {
  if (!job.plan) return {};
  return quantize::joint_activations(job.model, *job.plan);
}

LossOptions loss_options(const Job& job) {
  const dataset::Hyperparameters& hyp = job.hyp;
  const LossOptions plain{.anchors = job.head.anchors,
                          .strides = job.head.strides,
                          .box = hyp.box,
                          .cls = hyp.cls,
                          .obj = hyp.obj,
                          .cls_pw = hyp.cls_pw,
                          .obj_pw = hyp.obj_pw,
                          .fl_gamma = hyp.fl_gamma,
                          .anchor_t = hyp.anchor_t,
                          .label_smoothing = hyp.label_smoothing};
  return scale_gains(plain, {job.head.class_count, job.recipe.size.width});
}

/// Weight decay is meant for nominal_batch images per update.
///
/// Source: train() of Ultralytics' train.py.
OptimizerOptions optimizer_options(const Job& job) {
  const double batch = job.recipe.batch_size;
  const double nominal = job.recipe.nominal_batch;
  const double accumulated = batch * std::max(std::round(nominal / batch), 1.0);
  return {job.hyp.momentum, job.hyp.weight_decay * accumulated / nominal, job.recipe.clip_norm,
          job.recipe.method};
}

at::Tensor labels_of(const dataset::Batch& batch) {
  at::Tensor labels = at::empty({static_cast<std::int64_t>(batch.labels.size()), 6}, at::kFloat);
  float* row = labels.mutable_data_ptr<float>();
  for (const auto& [image, label] : batch.labels) {
    const float values[] = {static_cast<float>(image),       static_cast<float>(label.class_index),
                            static_cast<float>(label.x),     static_cast<float>(label.y),
                            static_cast<float>(label.width), static_cast<float>(label.height)};
    row = std::copy(std::begin(values), std::end(values), row);
  }
  return labels;
}

/// Convolutions in bfloat16 while it lives.
class Autocast {
 public:
  explicit Autocast(bool on) : before_(at::autocast::is_autocast_enabled(at::kCUDA)) {
    if (on) at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCUDA, on);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCUDA, before_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool before_;
};

/// Each parameter with the kind that tells its name in a checkpoint from its scale's, which is the
/// same.
void for_each_with_kind(const Parameters& parameters,
                        const std::function<void(const Parameter&, const std::string&)>& visit) {
  for (const auto* group : {&parameters.weights, &parameters.norms, &parameters.biases,
                            &parameters.statistics, &parameters.scales}) {
    const std::string kind = group == &parameters.scales ? "scale" : "value";
    for (const Parameter& parameter : *group) visit(parameter, kind);
  }
}

/// The heads in the order of detect::Head.
std::vector<at::Tensor> heads_of(const std::vector<at::Tensor>& outputs, const detect::Head& head) {
  std::vector<at::Tensor> heads;
  for (const std::size_t index : head.indices) heads.push_back(outputs.at(index));
  return heads;
}

}  // namespace

Session::Session(const Job& job, const Ranks& ranks)
    : job_(job),
      ranks_(ranks),
      device_(runtime::torch::open_device(job.recipe.device)),
      loss_(loss_options(job)),
      network_(make_network(job, compared_model(job), device_)),
      parameters_(take_parameters(network_, job.recipe.learn_scales, joint_scales_of(job))),
      optimizer_(parameters_, optimizer_options(job)),
      average_(parameters_, job.recipe.average_decay, job.recipe.average_steps) {
  averaged_ = std::make_unique<Network>(make_network(job, job.model, device_));
  for (auto& [name, tensor] : averaged_->constants()) {
    const auto average = average_.tensors().find(name);
    if (average != average_.tensors().end()) tensor = average->second;
  }
  for (auto& [name, quantizer] : averaged_->quantizers()) {
    const auto average = average_.scales().find(parameters_.scale_of(name));
    if (average != average_.scales().end()) quantizer.scale = average->second;
  }
  if (job.recipe.range_momentum > 0) {
    ranges_of_activations_ = std::make_unique<MovingRanges>(
        network_, *job.plan, joint_scales_of(job), job.recipe.range_momentum);
  }
  if (job.recipe.teacher != Teacher::float_model) return;
  teacher_ = std::make_unique<Network>(compared_model(job), device_);
}

at::Tensor Session::images_of(const dataset::Batch& batch) const {
  const vision::Size size = job_.recipe.size;
  const at::Tensor bytes =
      at::from_blob(const_cast<std::uint8_t*>(batch.images.data()),
                    {static_cast<std::int64_t>(batch.count), 3, size.height, size.width},
                    at::TensorOptions(at::kByte));
  return bytes.to(device_)
      .to(at::TensorOptions(at::kFloat), false, false, at::MemoryFormat::ChannelsLast)
      .div_(255);
}

LossResult Session::distillation(const std::vector<at::Tensor>& outputs,
                                 const std::vector<at::Tensor>& taught, std::size_t images,
                                 const SumOverRanks& sum) const {
  LossResult loss =
      compute_distillation(heads_of(outputs, job_.head), heads_of(taught, job_.head), loss_, sum);
  const std::size_t own = job_.model.outputs.size();
  if (outputs.size() == own) return loss;
  const at::Tensor distance =
      feature_distance(std::span(outputs).subspan(own), std::span(taught).subspan(own), sum);
  loss.total = loss.total + distance * (job_.recipe.feature_gain * static_cast<double>(images));
  return loss;
}

LossResult Session::loss_of(Network& network, const dataset::Batch& batch, bool batch_statistics,
                            bool in_step) const {
  runtime::torch::RunOptions options{.batch_statistics = batch_statistics};
  if (in_step && ranges_of_activations_) {
    options.observe = [this](auto& quantizer, const at::Tensor& low, const at::Tensor& high) {
      ranges_of_activations_->observe(quantizer, low, high);
    };
  }
  SumOverRanks sum;
  if (in_step && !ranks_.alone()) {
    sum = [this](std::vector<double> values) { return ranks_.sum(std::move(values)); };
    options.batch_norm = [this, images = batch.global_count](const auto& norm) {
      return synchronised_norm(norm, {.images = images,
                                      .rank = ranks_.rank(),
                                      .ranks = ranks_.size(),
                                      .sum = [this](auto sums) { ranks_.sum(sums); }});
    };
  }
  const at::Tensor images = images_of(batch);
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> taught;
  {
    const Autocast half(job_.recipe.amp && device_.is_cuda());
    if (teacher_) {
      const c10::NoGradGuard guard;
      taught = teacher_->run({&images, 1});
    }
    outputs = network.run({&images, 1}, options);
  }
  if (teacher_) return distillation(outputs, taught, batch.global_count, sum);
  return compute_loss(heads_of(outputs, job_.head), labels_of(batch), loss_, sum);
}

at::Tensor Session::step(const dataset::Batch& batch, const Rates& rates, double scale_rate) {
  LossResult loss = loss_of(network_, batch, job_.recipe.batch_statistics, true);
  at::Tensor total = loss.total.detach().clone();
  at::Tensor sums[] = {total, loss.parts};
  ranks_.sum(sums);  // All ranks see the same, so that all stop if it is no number.
  if (!std::isfinite(total.item<double>())) {
    fail(ErrorCode::bad_value, "the loss is {}", total.item<double>());
  }
  loss.total.backward();
  if (++waiting_ >= rates.accumulate) {
    waiting_ = 0;
    add_up_gradients();
    optimizer_.step(rates, scale_rate);
    average_.update();
  }
  return loss.parts;
}

bool Session::fits(const dataset::Batch& batch, std::size_t count) {
  if (device_.is_cuda()) at::getDeviceAllocator(device_.type())->emptyCache();
  dataset::Batch part{.count = count, .global_count = count};
  const auto bytes = static_cast<std::ptrdiff_t>(batch.images.size() / batch.count * count);
  part.images.assign(batch.images.begin(), batch.images.begin() + bytes);
  std::ranges::copy_if(batch.labels, std::back_inserter(part.labels),
                       [&](const dataset::BatchLabel& label) { return label.image < count; });
  bool enough = true;
  try {
    loss_of(network_, part, job_.recipe.batch_statistics, false).total.backward();
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    enough = false;
  }
  for (at::Tensor& gradient : gradients()) gradient.zero_();
  return enough;
}

at::Tensor Session::validation_loss(const dataset::Batch& batch) {
  const c10::NoGradGuard guard;
  if (ranges_of_activations_) ranges_of_activations_->set(*averaged_);
  return loss_of(*averaged_, batch, false, false).parts;
}

std::vector<at::Tensor> Session::gradients() const {
  std::vector<at::Tensor> parameters = parameters_.trained();
  for (const Parameter& scale : parameters_.scales) parameters.push_back(scale.tensor);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

void Session::add_up_gradients() {
  if (ranks_.alone()) return;
  std::vector<at::Tensor> all = gradients();
  ranks_.sum(all);
}

void Session::gather_gradients() {
  if (ranks_.alone() || waiting_ == 0) return;
  add_up_gradients();
  if (ranks_.first()) return;
  const c10::NoGradGuard guard;
  for (at::Tensor& gradient : gradients()) gradient.zero_();
}

pipeline::TrainingCheckpoint Session::checkpoint() const {
  pipeline::TrainingCheckpoint result{.model = job_.model};
  for (const auto& [name, tensor] : average_.tensors()) {
    result.model.constants.at(name) = from_torch(tensor);
  }
  if (job_.plan) {
    result.plan = *job_.plan;
    const auto learned = [&](const std::string& name) -> std::optional<std::vector<float>> {
      const auto scale = average_.scales().find(parameters_.scale_of(name));
      if (scale == average_.scales().end()) return std::nullopt;
      return from_torch(scale->second).to_floats();
    };
    for (quantize::ActivationPlan& activation : result.plan->activations) {
      if (const auto scale = learned(activation.tensor)) {
        activation.quantizer.scale = scale->front();
      }
    }
    for (quantize::WeightPlan& weight : result.plan->weights) {
      if (const auto scales = learned(weight.tensor)) weight.scales = *scales;
      weight.codes.reset();
      weight.bias_shift.clear();
    }
  }
  if (ranges_of_activations_) ranges_of_activations_->set(*result.plan);
  result.state = average_.state();
  if (ranges_of_activations_) result.state.merge(ranges_of_activations_->state());
  result.state.merge(optimizer_.state());
  for_each_with_kind(parameters_, [&](const Parameter& parameter, const std::string& kind) {
    result.state[kind + "/" + parameter.name] = from_torch(parameter.tensor);
    if (!parameter.tensor.grad().defined()) return;
    result.state[kind + "_gradient/" + parameter.name] = from_torch(parameter.tensor.grad());
  });
  result.state["waiting"] = Tensor::scalar<std::int64_t>(static_cast<std::int64_t>(waiting_));
  return result;
}

void Session::restore(const pipeline::TrainingCheckpoint& checkpoint) {
  const c10::NoGradGuard guard;
  const SavedState& state = checkpoint.state;
  for_each_with_kind(parameters_, [&](const Parameter& parameter, const std::string& kind) {
    at::Tensor value = parameter.tensor;
    value.copy_(stored(state, kind + "/" + parameter.name, value));
    const std::string gradient = kind + "_gradient/" + parameter.name;
    if (!state.contains(gradient)) return;
    value.mutable_grad() = at::empty_like(value).copy_(stored(state, gradient, value));
    if (!ranks_.first()) value.mutable_grad().zero_();  // Rank 0 has those of all.
  });
  optimizer_.restore(state);
  average_.restore(state);
  if (ranges_of_activations_) ranges_of_activations_->restore(state);
  waiting_ = static_cast<std::size_t>(stored_number(state, "waiting"));
}

}  // namespace yoloq::train::detail
