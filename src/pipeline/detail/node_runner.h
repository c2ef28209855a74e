// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::pipeline::detail {

/// One node of a model as a model of its own. Its names say nothing of where it came from, so that
/// nodes that compute the same are the same.
///
/// @param shapes  of the inputs of `node` that are not constants of `model`, in the node's order.
///                Each is an input of its own, float32, even if the node reads a value twice.
graph::Graph node_alone(const graph::Graph& model, const graph::Node& node,
                        std::span<const Shape> shapes);

/// Runs such a model on all threads, as a float engine would.
class NodeRunner {
 public:
  NodeRunner(const graph::Graph& alone, int threads);

  /// Puts what the node computes of these inputs, in the order of its shapes, into `outputs`.
  void run(std::span<const std::vector<float>* const> inputs,
           std::span<std::vector<float>> outputs);

  /// Of the last run.
  const Shape& output_shape(std::size_t output) const { return output_shapes_[output]; }

 private:
  std::shared_ptr<runtime::Engine> engine_;
  std::unique_ptr<runtime::Request> request_;
  std::vector<Shape> output_shapes_;
};

/// Runners that are kept: networks repeat their nodes, and a compilation takes longer than many
/// runs of such a model.
class NodeRunners {
 public:
  explicit NodeRunners(int threads) : threads_(threads) {}

  NodeRunner& of(const graph::Graph& alone);

 private:
  int threads_;
  std::unordered_map<std::string, NodeRunner> runners_;  // By the bytes of their model.
};

}  // namespace yoloq::pipeline::detail
