// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "calibrate/range.h"
#include "quantize/plan.h"
#include "runtime/torch/network.h"
#include "train/detail/state.h"

namespace yoloq::train::detail {

/// Ranges of activations that follow what the network computes while it is trained. Each quantizer
/// is set just before it is used:
///
///     low  += momentum * (smallest value of the batch - low)       starting at the calibrated
///     range high += momentum * (largest value of the batch - high)
///
/// Quantizers with one scale together have one range, that of all of them.
///
/// Source: MovingAverageMinMaxObserver of PyTorch's torch.ao.quantization; Jacob et al.,
/// arXiv:1712.05877, section 3.1.
class MovingRanges {
 public:
  /// @param network  quantized by `plan`; must outlive this object, as must not move.
  /// @param joint    see quantize::joint_activations().
  MovingRanges(runtime::torch::Network& network, const quantize::Plan& plan,
               const std::vector<std::vector<std::string>>& joint, double momentum);

  /// Takes in what a quantizer of the network is about to read and sets it, and those that share
  /// its scale. Fetches both numbers from the device.
  void observe(runtime::torch::FakeQuantizer& quantizer, const at::Tensor& low,
               const at::Tensor& high);

  /// Sets the quantizers of another network, and of a plan, to those of today.
  void set(runtime::torch::Network& network) const;
  void set(quantize::Plan& plan) const;

  SavedState state() const;

  /// @throws Error(corrupt_file) naming what is missing.
  void restore(const SavedState& state);

 private:
  struct Group {
    std::vector<std::string> members;
    DType dtype = DType::i8;
  };

  quantize::Quantizer quantizer_of(const Group& group) const;
  const Group& group_of(const std::string& name) const;
  void set(runtime::torch::Network& network, const Group& group) const;

  runtime::torch::Network* network_;
  double momentum_;
  std::map<const runtime::torch::FakeQuantizer*, std::string> names_;
  std::map<std::string, calibrate::Range> ranges_;
  std::map<std::string, std::size_t> places_;  ///< Into groups_.
  std::vector<Group> groups_;
};

}  // namespace yoloq::train::detail
