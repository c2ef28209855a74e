// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"
#include "runtime/torch/network.h"

namespace yoloq::runtime::torch {

/// What an operator computes from.
struct Call {
  const graph::Node& node;
  std::int64_t opset = 0;
  std::vector<at::Tensor> inputs{};    ///< Undefined where an optional one is absent.
  std::vector<const Tensor*> known{};  ///< Constants of the graph; nullptr for other inputs.
  bool batch_statistics = false;       ///< See RunOptions.
  double momentum = 0;
  std::function<at::Tensor(const BatchNorm&)> batch_norm{};
};

/// One operator of ONNX on LibTorch.
struct Operator {
  std::string_view name;
  std::vector<at::Tensor> (*compute)(const Call&);
  /// Whether `compute` covers this node; nullptr: every node. Looks at attributes, and at `known`.
  bool (*covers)(const Call&) = nullptr;
};

/// The row that computes the node of `call`, or nullptr if there is none. Of `call` the inputs may
/// be absent.
const Operator* find_operator(const Call& call);

}  // namespace yoloq::runtime::torch
