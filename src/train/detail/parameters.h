// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/torch/network.h"

namespace yoloq::train::detail {

struct Parameter {
  std::string name;   ///< The value name of a constant, or of what is quantized.
  at::Tensor tensor;  ///< The one that the network reads.
};

/// What is trained, in the order of the graph.
struct Parameters {
  std::vector<Parameter> weights;  ///< Of convolutions: weight decay.
  std::vector<Parameter> norms;    ///< gamma of normalization.
  std::vector<Parameter> biases;   ///< Of convolutions, and beta.
  std::vector<Parameter> scales;   ///< Of quantizers that learn them.
  /// Quantizers that read the scale of another: value name to value name of the one in `scales`.
  std::map<std::string, std::string> joint_scales;
  std::vector<Parameter> statistics;  ///< Running means and variances: moved, not trained.

  /// Whose scale the quantizer of `name` reads.
  const std::string& scale_of(const std::string& name) const;

  std::vector<at::Tensor> trained() const;  ///< All that have gradients but the scales.
};

/// Finds the parameters of a network by the operators that read them, and asks for their gradients.
///
/// @param joint  groups of quantizers that have one scale, by value name; see
///               quantize::joint_activations().
Parameters take_parameters(runtime::torch::Network& network, bool learn_scales,
                           const std::vector<std::vector<std::string>>& joint = {});

}  // namespace yoloq::train::detail
