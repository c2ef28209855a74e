// SPDX-License-Identifier: Apache-2.0
#include "train/detail/moving_ranges.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "quantize/scale.h"

namespace yoloq::train::detail {

namespace {

using runtime::torch::FakeQuantizer;
using runtime::torch::Network;

std::string key_of(const std::string& name) { return "moving_range/" + name; }

/// What the codes of a quantizer reach.
calibrate::Range range_of(const quantize::Quantizer& quantizer) {
  const auto [low, high] = quantize::code_limits(quantizer.dtype);
  const int lowest = quantizer.dtype == DType::i8 ? -high : low;
  return {static_cast<float>(lowest - quantizer.zero_point) * quantizer.scale,
          static_cast<float>(high - quantizer.zero_point) * quantizer.scale};
}

}  // namespace

MovingRanges::MovingRanges(Network& network, const quantize::Plan& plan,
                           const std::vector<std::vector<std::string>>& joint, double momentum)
    : network_(&network), momentum_(momentum) {
  std::map<std::string, DType> dtypes;
  for (const quantize::ActivationPlan& activation : plan.activations) {
    if (!activation.on) continue;
    dtypes[activation.tensor] = activation.quantizer.dtype;
    ranges_[activation.tensor] = range_of(activation.quantizer);
    names_[&network.quantizers().at(activation.tensor)] = activation.tensor;
  }
  for (const std::vector<std::string>& members : joint) {
    for (const std::string& name : members) places_[name] = groups_.size();
    groups_.push_back({members, dtypes.at(members.front())});
  }
  for (const auto& [name, dtype] : dtypes) {
    if (!places_.try_emplace(name, groups_.size()).second) continue;
    groups_.push_back({{name}, dtype});
  }
}

quantize::Quantizer MovingRanges::quantizer_of(const Group& group) const {
  calibrate::Range all;
  for (const std::string& name : group.members) {
    const calibrate::Range& range = ranges_.at(name);
    all = {std::min(all.low, range.low), std::max(all.high, range.high)};
  }
  return group.dtype == DType::i8 ? quantize::symmetric_quantizer(all)
                                  : quantize::asymmetric_quantizer(all);
}

const MovingRanges::Group& MovingRanges::group_of(const std::string& name) const {
  return groups_[places_.at(name)];
}

void MovingRanges::set(Network& network, const Group& group) const {
  const quantize::Quantizer quantizer = quantizer_of(group);
  for (const std::string& name : group.members) {
    FakeQuantizer& each = network.quantizers().at(name);
    // Another tensor: the backward pass may need the one that the last step was computed with.
    each.scale = at::full_like(each.scale, quantizer.scale);
    each.codes.zero_point = quantizer.zero_point;
  }
}

void MovingRanges::observe(FakeQuantizer& quantizer, const at::Tensor& low,
                           const at::Tensor& high) {
  const auto name = names_.find(&quantizer);
  if (name == names_.end()) return;
  calibrate::Range& range = ranges_.at(name->second);
  const auto move = [&](float& end, float to) {
    end = static_cast<float>(end + momentum_ * (to - end));
  };
  move(range.low, std::min(low.item<float>(), 0.0f));
  move(range.high, std::max(high.item<float>(), 0.0f));
  set(*network_, group_of(name->second));
}

void MovingRanges::set(Network& network) const {
  for (const Group& group : groups_) set(network, group);
}

void MovingRanges::set(quantize::Plan& plan) const {
  for (quantize::ActivationPlan& activation : plan.activations) {
    if (activation.on) activation.quantizer = quantizer_of(group_of(activation.tensor));
  }
}

SavedState MovingRanges::state() const {
  SavedState state;
  for (const auto& [name, range] : ranges_) {
    state[key_of(name)] = Tensor::list(std::vector<float>{range.low, range.high});
  }
  return state;
}

void MovingRanges::restore(const SavedState& state) {
  for (auto& [name, range] : ranges_) {
    const at::Tensor ends = stored(state, key_of(name), at::zeros({2}));
    range = {ends[0].item<float>(), ends[1].item<float>()};
  }
  set(*network_);
}

}  // namespace yoloq::train::detail
