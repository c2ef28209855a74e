// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "graph/graph.h"
#include "graph/ops.h"

namespace yoloq::graph {

/// What is known of every value of a graph before it runs, by name. Types follow from the types of
/// the inputs; small values that depend on nothing but sizes (the chains of Shape, Gather, Concat
/// that end in a Reshape) are computed where the sizes are known, and kept by name where not.
class Knowledge {
 public:
  /// Walks the graph once. Outputs of operators that ops() does not list keep the types that the
  /// graph holds for them.
  ///
  /// @throws Error(corrupt_file) naming the node whose inputs contradict it.
  explicit Knowledge(const Graph& graph);

  /// What is known of `value`; nothing where no such value is written.
  const Known& of(std::string_view value) const;

  /// The type of `value`, as far as it is known.
  const ValueType& type_of(std::string_view value) const { return of(value).type; }

 private:
  void learn(const Graph& graph, const Node& node);
  void learn_outputs(const Op& op, const TypeQuery& query);
  void evaluate(const Op& op, const TypeQuery& query);

  std::unordered_map<std::string, Known> known_;
};

/// Writes the type of each value that a node computes into Graph::value_types, and of each output
/// of the graph into its Port. Sizes that depend on the input are symbols; equal symbols are equal
/// sizes.
///
/// @throws Error(corrupt_file) naming the node whose inputs contradict it.
void infer_shapes(Graph& graph);

}  // namespace yoloq::graph
