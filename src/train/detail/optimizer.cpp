// SPDX-License-Identifier: Apache-2.0
#include "train/detail/optimizer.h"

#include <ATen/ATen.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>

#include "core/error.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {

namespace {

using ::torch::optim::AdamW;
using ::torch::optim::AdamWOptions;
using ::torch::optim::AdamWParamState;
using ::torch::optim::OptimizerParamGroup;
using ::torch::optim::SGD;
using ::torch::optim::SGDOptions;
using ::torch::optim::SGDParamState;

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kTiny = 1e-12;

std::vector<at::Tensor> tensors_of(const std::vector<Parameter>& group) {
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : group) tensors.push_back(parameter.tensor);
  return tensors;
}

std::unique_ptr<::torch::optim::OptimizerOptions> group_options(const OptimizerOptions& options,
                                                                double decay) {
  if (options.method == Method::adamw) {
    auto group = std::make_unique<AdamWOptions>(0.0);
    group->betas({options.momentum, kBeta2}).weight_decay(decay);
    return group;
  }
  auto group = std::make_unique<SGDOptions>(0.0);
  group->momentum(options.momentum).nesterov(true).weight_decay(decay);
  return group;
}

/// Adam's moments of one scale's logarithm.
struct Moments {
  at::Tensor first;
  at::Tensor second;
};

}  // namespace

struct Optimizer::State {
  Parameters parameters;
  OptimizerOptions options;
  std::unique_ptr<::torch::optim::Optimizer> method;
  std::map<std::string, Moments> moments;
  std::int64_t scale_steps = 0;

  void set(std::size_t group, double rate, double momentum) {
    auto& settings = method->param_groups().at(group).options();
    settings.set_lr(rate);
    if (options.method == Method::adamw) {
      static_cast<AdamWOptions&>(settings).betas({momentum, kBeta2});
    } else {
      static_cast<SGDOptions&>(settings).momentum(momentum);
    }
  }

  void move_scales(double rate);

  template <typename Visit>
  void for_each_trained(const Visit& visit) {
    for (auto* group : {&parameters.weights, &parameters.norms, &parameters.biases}) {
      for (Parameter& parameter : *group) visit(parameter);
    }
  }
};

Optimizer::Optimizer(Parameters parameters, const OptimizerOptions& options)
    : state_(std::make_unique<State>()) {
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(tensors_of(parameters.biases), group_options(options, 0));
  groups.emplace_back(tensors_of(parameters.weights), group_options(options, options.weight_decay));
  if (!parameters.norms.empty()) {
    groups.emplace_back(tensors_of(parameters.norms), group_options(options, 0));
  }
  if (options.method == Method::adamw) {
    state_->method = std::make_unique<AdamW>(groups, AdamWOptions(0.0));
  } else {
    state_->method = std::make_unique<SGD>(groups, SGDOptions(0.0).momentum(options.momentum));
  }
  for (const Parameter& scale : parameters.scales) {
    state_->moments[scale.name] = {at::zeros_like(scale.tensor), at::zeros_like(scale.tensor)};
  }
  state_->parameters = std::move(parameters);
  state_->options = options;
}
Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;

void Optimizer::State::move_scales(double rate) {
  const c10::NoGradGuard guard;
  ++scale_steps;
  const double bias1 = 1 - std::pow(kBeta1, static_cast<double>(scale_steps));
  const double bias2 = 1 - std::pow(kBeta2, static_cast<double>(scale_steps));
  // All scales by one operator at a time: a GPU then starts a dozen kernels, not a dozen for each.
  std::vector<at::Tensor> scales, gradients, first, second;
  for (Parameter& scale : parameters.scales) {
    at::Tensor& gradient = scale.tensor.mutable_grad();
    if (!gradient.defined()) continue;
    const Moments& moment = moments.at(scale.name);
    scales.push_back(scale.tensor);
    gradients.push_back(gradient);
    first.push_back(moment.first);
    second.push_back(moment.second);
    gradient.reset();
  }
  if (scales.empty()) return;
  const std::vector<at::Tensor> at_logs = at::_foreach_mul(gradients, scales);
  at::_foreach_mul_(first, kBeta1);
  at::_foreach_add_(first, at::_foreach_mul(at_logs, 1 - kBeta1));
  at::_foreach_mul_(second, kBeta2);
  at::_foreach_addcmul_(second, at_logs, at_logs, 1 - kBeta2);
  std::vector<at::Tensor> spreads = at::_foreach_div(second, bias2);
  at::_foreach_sqrt_(spreads);
  at::_foreach_add_(spreads, kTiny);
  std::vector<at::Tensor> steps = at::_foreach_div(first, spreads);
  at::_foreach_mul_(steps, -rate / bias1);
  at::_foreach_exp_(steps);
  at::_foreach_mul_(scales, steps);
}

void Optimizer::step(const Rates& rates, double scale_rate) {
  State& state = *state_;
  if (state.options.clip_norm > 0) {
    const double norm =
        ::torch::nn::utils::clip_grad_norm_(state.parameters.trained(), state.options.clip_norm);
    if (!std::isfinite(norm)) fail(ErrorCode::bad_value, "the norm of the gradients is {}", norm);
  }
  state.set(0, rates.biases, rates.momentum);
  for (std::size_t i = 1; i < state.method->param_groups().size(); ++i) {
    state.set(i, rates.weights, rates.momentum);
  }
  state.method->step();
  state.method->zero_grad();
  if (!state.parameters.scales.empty()) state.move_scales(scale_rate);
}

SavedState Optimizer::state() const {
  SavedState result;
  auto& states = state_->method->state();
  state_->for_each_trained([&](const Parameter& parameter) {
    const auto found = states.find(parameter.tensor.unsafeGetTensorImpl());
    if (found == states.end()) return;
    if (state_->options.method == Method::adamw) {
      const auto& own = static_cast<const AdamWParamState&>(*found->second);
      result["mean/" + parameter.name] = runtime::torch::from_torch(own.exp_avg());
      result["square/" + parameter.name] = runtime::torch::from_torch(own.exp_avg_sq());
      result["steps/" + parameter.name] = Tensor::scalar<std::int64_t>(own.step());
      return;
    }
    const auto& own = static_cast<const SGDParamState&>(*found->second);
    if (!own.momentum_buffer().defined()) return;  // Without momentum there is none.
    result["momentum/" + parameter.name] = runtime::torch::from_torch(own.momentum_buffer());
  });
  for (const auto& [name, moment] : state_->moments) {
    result["first/" + name] = runtime::torch::from_torch(moment.first);
    result["second/" + name] = runtime::torch::from_torch(moment.second);
  }
  result["scale_steps"] = Tensor::scalar<std::int64_t>(state_->scale_steps);
  return result;
}

void Optimizer::restore(const SavedState& state) {
  const c10::NoGradGuard guard;
  const auto restored = [&](const std::string& name, const at::Tensor& like) {
    return at::empty_like(like).copy_(stored(state, name, like));
  };
  state_->for_each_trained([&](const Parameter& parameter) {
    if (!state.contains("momentum/" + parameter.name) &&
        !state.contains("steps/" + parameter.name)) {
      return;  // No update came to it yet.
    }
    auto& slot = state_->method->state()[parameter.tensor.unsafeGetTensorImpl()];
    if (state.contains("steps/" + parameter.name)) {
      auto own = std::make_unique<AdamWParamState>();
      own->step(stored_number(state, "steps/" + parameter.name));
      own->exp_avg(restored("mean/" + parameter.name, parameter.tensor));
      own->exp_avg_sq(restored("square/" + parameter.name, parameter.tensor));
      slot = std::move(own);
      return;
    }
    auto own = std::make_unique<SGDParamState>();
    own->momentum_buffer(restored("momentum/" + parameter.name, parameter.tensor));
    slot = std::move(own);
  });
  for (auto& [name, moment] : state_->moments) {
    moment = {restored("first/" + name, moment.first), restored("second/" + name, moment.second)};
  }
  state_->scale_steps = stored_number(state, "scale_steps");
}

}  // namespace yoloq::train::detail
