// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/tensor.h"

/// @file
/// A Graph is one model: nodes in execution order, constants, and the names of the values that flow
/// between them. It follows ONNX closely enough that a file survives reading and writing unchanged.
///
/// A Graph is a plain value: `Graph trial = graph;` is the way to try something. Constants share
/// their buffers, so the copy is cheap.
///
/// Where to go on: onnx/ reads and writes files, graph/text.h is the form that tests use,
/// graph/verify.h states what is well formed, transform/ rewrites.

namespace yoloq::graph {

/// Names a node for as long as it is in its graph, whatever happens to the others.
enum class NodeId : std::uint32_t {};

/// One dimension of a value: a size, or a symbol such as "batch" when it is chosen at run time.
struct Dim {
  std::int64_t size = -1;  ///< -1 when not known.
  std::string symbol{};    ///< ONNX's dim_param; empty when it has none.

  bool known() const { return size >= 0; }
  static Dim fixed(std::int64_t size) { return {size, {}}; }
  static Dim named(std::string symbol) { return {-1, std::move(symbol)}; }
  friend bool operator==(const Dim&, const Dim&) = default;
};

using Dims = std::vector<Dim>;

/// The sizes, if all are known.
std::optional<Shape> fixed_shape(const Dims& dims);

/// Element type and shape of a value, as far as they are known.
struct ValueType {
  DType dtype = DType::undefined;
  std::optional<Dims> dims{};  ///< Absent: not even the rank is known.

  friend bool operator==(const ValueType&, const ValueType&) = default;
};

/// An input or output of the graph.
struct Port {
  std::string name{};
  ValueType type{};

  friend bool operator==(const Port&, const Port&) = default;
};

/// Something that only its file format understands, kept so that it can be written again: a
/// subgraph, a sparse tensor, a type of a later ONNX.
struct Opaque {
  std::string bytes;

  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using Attribute = std::variant<std::int64_t, float, std::string, Tensor, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, Opaque>;

/// One operation. An empty name among inputs or outputs is an optional one that is absent.
struct Node {
  std::string op{};      ///< ONNX op type, "Conv".
  std::string domain{};  ///< Empty for ONNX's own operators.
  std::string name{};    ///< For Ultralytics models the module's path: "model.2.cv1.conv".
  std::vector<std::string> inputs{};
  std::vector<std::string> outputs{};
  std::map<std::string, Attribute> attributes{};
  std::vector<std::string> captured{};  ///< Outer values that its opaque subgraphs read.
  std::string doc{};

  /// The first output; most nodes have one.
  const std::string& output() const { return outputs.front(); }

  /// The attribute as T, or `fallback` if it is absent.
  ///
  /// @throws Error(corrupt_file) if it is there with another type.
  std::int64_t integer(std::string_view key, std::int64_t fallback) const;
  float real(std::string_view key, float fallback) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  std::vector<std::int64_t> integers(std::string_view key,
                                     std::vector<std::int64_t> fallback = {}) const;

  friend bool operator==(const Node&, const Node&) = default;
};

/// Input number `index` of `node`, or "" if it is absent.
const std::string& input_or_empty(const Node& node, std::size_t index);

/// One place where a value is read.
struct Use {
  NodeId node{};
  std::size_t input = 0;  ///< Index into Node::inputs, or inputs.size() + i for captured[i].

  friend bool operator==(const Use&, const Use&) = default;
};

/// A model. Its invariants are those of verify().
class Graph {
 public:
  std::string name = "yoloq";
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::map<std::string, Tensor, std::less<>> constants;       ///< By value name.
  std::map<std::string, ValueType, std::less<>> value_types;  ///< What is known of inner values.
  std::map<std::string, std::string, std::less<>> metadata;   ///< ONNX metadata_props.
  std::map<std::string, std::int64_t, std::less<>> opsets{{"", 13}};  ///< Domain to version.
  std::int64_t ir_version = 8;
  std::string producer_name;
  std::string producer_version;
  std::string doc;
  std::string opaque;  ///< Parts of a file that have no place here (functions, training info, ...).

  /// The nodes in execution order. A snapshot: safe to walk while the graph changes.
  std::vector<NodeId> nodes() const { return order_; }
  std::size_t node_count() const { return order_.size(); }

  /// A node of this graph; asserts that it is still there.
  Node& operator[](NodeId id);
  const Node& operator[](NodeId id) const;
  bool contains(NodeId id) const;

  NodeId append(Node node);
  NodeId insert_before(NodeId position, Node node);
  NodeId insert_after(NodeId position, Node node);
  void erase(NodeId id);

  /// The constant behind a value name, or nullptr if it is none.
  const Tensor* constant(std::string_view value) const;

  /// The node that computes `value`; none for graph inputs and constants.
  std::optional<NodeId> producer(std::string_view value) const;

  /// Every place where a node reads `value`, in execution order. Linear in the size of the graph.
  std::vector<Use> uses(std::string_view value) const;

  /// How often `value` is read: by nodes, subgraphs and as an output of the graph.
  std::size_t readers(std::string_view value) const;

  bool is_input(std::string_view value) const;
  bool is_output(std::string_view value) const;

  /// Lets every node that reads `from` read `to`. Graph outputs keep their names.
  void replace_uses(std::string_view from, const std::string& to);

  /// The type of a graph input, constant, inner value or output, as far as it is known.
  ValueType type_of(std::string_view value) const;

  /// `stem` if no value has that name, else `stem` followed by a number.
  std::string fresh_value_name(std::string_view stem) const;

  /// True if a graph input, a constant or a node output has that name.
  bool has_value(std::string_view value) const;

  /// The version of ONNX's own operators.
  std::int64_t opset() const;

  /// Same content and the same order of nodes; ids do not matter.
  friend bool operator==(const Graph& a, const Graph& b);

 private:
  std::map<NodeId, Node> nodes_;
  std::vector<NodeId> order_;
  std::uint32_t next_id_ = 0;
};

}  // namespace yoloq::graph
