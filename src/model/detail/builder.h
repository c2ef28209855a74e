// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace yoloq::model::detail {

/// A value on its way through the network: [N, channels, height, width].
struct Flow {
  std::string value;
  std::int64_t channels = 0;
  std::optional<std::int64_t> height;  ///< Absent: known at run time only.
  std::optional<std::int64_t> width;
};

/// A node to add; its one output is named like the node unless `output` says otherwise.
struct Step {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::map<std::string, graph::Attribute> attributes = {};
  std::string output = {};
};

/// Writes nodes and constants into a graph under unique names.
class Builder {
 public:
  explicit Builder(std::int64_t opset);

  std::int64_t opset() const { return graph_.opset(); }
  graph::Graph& graph() { return graph_; }

  /// Appends a node and returns the name of its output. A name that is taken gets a number.
  std::string add(Step step);

  /// Adds a constant and returns its name.
  std::string constant(std::string name, Tensor value);

 private:
  std::string unique(std::string name);

  graph::Graph graph_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace yoloq::model::detail
