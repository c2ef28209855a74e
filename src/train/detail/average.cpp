// SPDX-License-Identifier: Apache-2.0
#include "train/detail/average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {

namespace {

void take(at::Tensor& target, const SavedState& state, const std::string& name) {
  target.copy_(stored(state, name, target));
}

}  // namespace

Average::Average(const Parameters& parameters, double decay, double steps)
    : scale_sources_(parameters.scales), decay_(decay), steps_(steps) {
  for (const auto* group :
       {&parameters.weights, &parameters.norms, &parameters.biases, &parameters.statistics}) {
    sources_.insert(sources_.end(), group->begin(), group->end());
  }
  for (const Parameter& source : sources_) tensors_[source.name] = source.tensor.detach().clone();
  for (const Parameter& scale : scale_sources_) {
    scales_[scale.name] = scale.tensor.detach().clone();
  }
}

void Average::update() {
  const c10::NoGradGuard guard;
  ++updates_;
  const double d = decay_ * (1 - std::exp(-static_cast<double>(updates_) / steps_));
  std::vector<at::Tensor> averages, sources;
  for (const Parameter& source : sources_) {
    averages.push_back(tensors_.at(source.name));
    sources.push_back(source.tensor);
  }
  for (const Parameter& scale : scale_sources_) {
    averages.push_back(scales_.at(scale.name));
    sources.push_back(scale.tensor);
  }
  // By one operator at a time for all: a GPU starts two kernels or three, not two for each.
  at::_foreach_lerp_(averages, sources, 1 - d);
}

SavedState Average::state() const {
  SavedState state;
  for (const auto& [name, tensor] : tensors_) {
    state["average/" + name] = runtime::torch::from_torch(tensor);
  }
  for (const auto& [name, tensor] : scales_) {
    state["average_scale/" + name] = runtime::torch::from_torch(tensor);
  }
  state["average_updates"] = Tensor::scalar<std::int64_t>(updates_);
  return state;
}

void Average::restore(const SavedState& state) {
  for (auto& [name, tensor] : tensors_) take(tensor, state, "average/" + name);
  for (auto& [name, tensor] : scales_) take(tensor, state, "average_scale/" + name);
  updates_ = stored_number(state, "average_updates");
}

}  // namespace yoloq::train::detail
