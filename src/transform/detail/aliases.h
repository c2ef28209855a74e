// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "graph/graph.h"

namespace yoloq::transform::detail {

/// Values that another one stands for. A pass walks the nodes in order, applies the aliases to each
/// and adds more on the way, so that the whole rewrite is linear.
class Aliases {
 public:
  /// Notes the names that have to stay: inputs and outputs of the graph and what subgraphs
  /// capture.
  explicit Aliases(const graph::Graph& graph);

  /// True if the value may be renamed away.
  bool is_free(const std::string& value) const { return !fixed_.contains(value); }

  /// Lets `to` stand for `from`; false, and nothing happens, if the name has to stay.
  bool add(const std::string& from, const std::string& to);

  /// The same for several; all or none. Outputs that are absent need no stand-in.
  bool add_all(const std::vector<std::string>& from, const std::vector<std::string>& to);

  /// What stands for `value`; itself if nothing does.
  const std::string& of(const std::string& value) const;

  /// Lets a node read what stands for its inputs.
  void apply(graph::Node& node) const;

  /// Removes the constants and the types of values that something else stands for.
  void remove_constants(graph::Graph& graph) const;

 private:
  std::unordered_set<std::string> fixed_;
  std::unordered_map<std::string, std::string> aliases_;
};

}  // namespace yoloq::transform::detail
