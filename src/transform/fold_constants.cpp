// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_constants.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "graph/ops.h"
#include "graph/shapes.h"

namespace yoloq::transform {

using graph::Graph;
using graph::Knowledge;
using graph::Node;
using graph::NodeId;
using graph::Op;
using graph::ValueType;

namespace {

bool is_codec(const Node& node) {
  return node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
}

/// Bytes of a value; none where its size is not known.
std::optional<std::size_t> bytes_of(const ValueType& type) {
  std::size_t bytes = size_of(type.dtype);
  if (bytes == 0 || !type.dims) return std::nullopt;
  for (const auto& dim : *type.dims) {
    if (!dim.known()) return std::nullopt;
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(dim.size), &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

/// Evaluates nodes in order, so that what one gives is constant to the next.
class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), knowledge_(graph) {
    for (const auto& output : graph.outputs) outputs_.insert(output.name);
  }

  int run() {
    int folded = 0;
    for (const NodeId id : graph_.nodes()) {
      const auto results = values_of(graph_[id]);
      if (!results) continue;
      for (std::size_t i = 0; i < results->size(); ++i) {
        const std::string& name = graph_[id].outputs[i];
        graph_.value_types.erase(name);
        if (!name.empty()) graph_.constants[name] = (*results)[i];
      }
      graph_.erase(id);
      ++folded;
    }
    return folded;
  }

 private:
  /// The tensors of all outputs, if they are constant and fit.
  std::optional<std::vector<Tensor>> values_of(const Node& node) const {
    const Op* op = find_op(node);
    const auto returned = [&](const auto& name) { return outputs_.contains(name); };
    if (op == nullptr || is_codec(node) || std::ranges::any_of(node.outputs, returned)) {
      return std::nullopt;
    }
    if (node.outputs.size() == 1) {
      if (const auto& known = knowledge_.of(node.output()).tensor) return std::vector{*known};
    }
    return computed(*op, node);
  }

  std::optional<std::vector<Tensor>> computed(const Op& op, const Node& node) const {
    graph::Call call{node, graph_.opset(), {}};
    std::size_t available = kLargestFoldedBytes;
    std::size_t given = 0;
    for (const auto& input : node.inputs) {
      const Tensor* tensor = graph_.constant(input);
      if (tensor == nullptr && !input.empty()) return std::nullopt;
      call.inputs.push_back(tensor);
      if (tensor != nullptr) given += tensor->bytes().size();
    }
    available = std::max(available, given);
    std::size_t most = 0;
    for (const auto& output : node.outputs) {
      const auto bytes = bytes_of(knowledge_.type_of(output));
      if (!bytes || *bytes > available) return std::nullopt;
      most = std::max(most, *bytes);
    }
    if (most == 0) return empty_outputs(node);
    return compute_or_leave(op, call);
  }

  /// Nothing to compute, and the work of a kernel follows other axes than the empty one.
  std::vector<Tensor> empty_outputs(const Node& node) const {
    std::vector<Tensor> outputs;
    for (const auto& output : node.outputs) {
      const ValueType type = knowledge_.type_of(output);
      outputs.emplace_back(type.dtype, *graph::fixed_shape(*type.dims),
                           std::span<const std::byte>());
    }
    return outputs;
  }

  static std::optional<std::vector<Tensor>> compute_or_leave(const Op& op,
                                                             const graph::Call& call) {
    try {
      auto results = compute(op, call);
      if (results.size() < call.node.outputs.size()) return std::nullopt;
      results.resize(call.node.outputs.size());
      return results;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::unsupported) return std::nullopt;  // Runtimes may know more.
      throw error.within("while folding node '" + call.node.name + "'");
    }
  }

  Graph& graph_;
  Knowledge knowledge_;
  std::unordered_set<std::string> outputs_;
};

}  // namespace

int fold_constants(Graph& graph) { return Folder(graph).run(); }

}  // namespace yoloq::transform
