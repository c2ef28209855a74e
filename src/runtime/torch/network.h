// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/plan.h"
#include "runtime/torch/fake_quantize.h"

/// @file
/// A Graph as a LibTorch computation, with gradients where its constants ask for them:
///
///     Graph ─▶ Network: constants() ─▶ requires_grad ─▶ run() ─▶ heads ─▶ loss ─▶ backward
///                 ▲
///     Plan ───────┘ quantizers(): what Conv, Add, ... read instead of their float inputs
///
/// To add an operator: a row in operators.cpp. Operators without one are computed by the reference
/// kernels of graph/ops.h, on the CPU and without gradients.

namespace yoloq::runtime::torch {

/// Fake quantization of one value, for some of its readers or all.
struct FakeQuantizer {
  at::Tensor scale;  ///< [1], or [O] of a weight; float32.
  Codes codes;
  bool of_weight = false;
};

/// What BatchNormalization by the batch computes from.
struct BatchNorm {
  at::Tensor input;  ///< [N, C, H, W]; the others [C].
  at::Tensor gamma;
  at::Tensor beta;
  at::Tensor mean;  ///< The running one, to be moved; as the variance.
  at::Tensor variance;
  double momentum = 0;
  double epsilon = 0;
};

struct RunOptions {
  bool batch_statistics = false;  ///< BatchNormalization normalizes by the batch and moves its
                                  ///< running statistics, as in training.
  double momentum = 0.03;         ///< Of the running statistics.
  /// Computes BatchNormalization where batch_statistics asks for the batch's; empty: LibTorch does,
  /// by the batch of this process.
  std::function<at::Tensor(const BatchNorm&)> batch_norm = {};
  /// Shown each activation's quantizer, and the smallest and largest value, [], that it is about to
  /// read; what it sets there is computed with. May be empty.
  std::function<void(FakeQuantizer&, const at::Tensor& low, const at::Tensor& high)> observe = {};
  /// Told the time of each node after it was computed; may be empty.
  std::function<void(graph::NodeId, double milliseconds)> timed = {};
};

/// Runs may go side by side as long as nothing changes the network; with batch_statistics a run
/// does.
class Network {
 public:
  /// Takes a copy of the graph's constants to `device`.
  ///
  /// @throws Error(backend) for a node that neither LibTorch nor the reference kernels compute.
  explicit Network(const graph::Graph& graph, c10::Device device = c10::kCPU);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// The constants of type float32 by value name; what a training step changes. The tensors are
  /// those that run() reads.
  std::map<std::string, at::Tensor>& constants();
  const std::map<std::string, at::Tensor>& constants() const;

  /// Lets the readers that the plan names read fake-quantized values; the scales are new tensors.
  ///
  /// @throws Error(bad_argument) naming what the plan speaks of and the graph lacks.
  void quantize(const quantize::Plan& plan);

  /// By value name, activations and weights; empty before quantize().
  std::map<std::string, FakeQuantizer>& quantizers();

  /// False: everything is computed in float, as if there were no quantizers.
  void enable_quantizers(bool on);

  /// @param inputs  in the order of the graph's.
  /// @returns the outputs in the order of the graph's.
  /// @throws Error(corrupt_file) naming the node that contradicts its inputs, Error(unsupported) if
  ///     a gradient would have to pass an operator without one.
  std::vector<at::Tensor> run(std::span<const at::Tensor> inputs,
                              const RunOptions& options = {}) const;

  const graph::Graph& graph() const;
  c10::Device device() const;

  /// True if LibTorch computes the node, false if the reference kernels do.
  bool on_torch(graph::NodeId node) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yoloq::runtime::torch
