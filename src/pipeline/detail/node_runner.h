// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"
#include "runtime/engine.h"

namespace yoloq::pipeline::detail {

/// A float32 port of known shape.
graph::Port fixed_port(std::string name, const Shape& shape);

/// Runs one node of a model alone, on all threads, as a float engine would.
class NodeRunner {
 public:
  /// @param ports  the inputs of `node` that are not constants of `model`, each once.
  NodeRunner(const graph::Graph& model, const graph::Node& node, std::vector<graph::Port> ports,
             int threads);

  /// Puts the node's output for these inputs, by value name, into `output`.
  void run(const std::map<std::string, const std::vector<float>*>& inputs,
           std::vector<float>& output);

  /// Of the last run.
  const Shape& output_shape() const { return output_shape_; }

 private:
  std::vector<graph::Port> ports_;
  std::shared_ptr<runtime::Engine> engine_;
  std::unique_ptr<runtime::Request> request_;
  Shape output_shape_;
};

}  // namespace yoloq::pipeline::detail
