// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/shift_activations.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/detail/quantizer.h"

namespace yoloq::runtime::openvino {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr int kShift = 128;

/// Operators that move codes without computing on them. MaxPool compares, which a shift preserves.
constexpr std::array<std::string_view, 11> kMovers{"Concat",  "Flatten",   "Gather",   "Identity",
                                                   "MaxPool", "Reshape",   "Slice",    "Split",
                                                   "Squeeze", "Transpose", "Unsqueeze"};

bool is_mover(const Node& node) {
  return node.domain.empty() && std::ranges::find(kMovers, node.op) != kMovers.end();
}

/// How many inputs of a mover, counted from the first, hold codes.
std::size_t code_inputs(const Node& mover) {
  return mover.op == "Concat" ? mover.inputs.size() : 1;
}

/// The outputs of a mover that hold codes; MaxPool's second output holds indices.
std::size_t code_outputs(const Node& mover) {
  return mover.op == "MaxPool" ? 1 : mover.outputs.size();
}

/// Values that hold the same codes, with everything that writes and reads them.
struct Flow {
  std::set<std::string> values;
  std::set<NodeId> quantizers;
  std::set<NodeId> dequantizers;
};

/// Follows codes from one quantizer over movers, forward and backward.
class FlowTracer {
 public:
  explicit FlowTracer(const Graph& graph) : graph_(graph) {}

  /// The whole flow, or none if it holds something that a shift would break.
  std::optional<Flow> trace(NodeId quantizer) {
    reach(graph_[quantizer].output());
    while (!pending_.empty()) {
      const std::string value = pending_.back();
      pending_.pop_back();
      if (graph_.is_output(value) || !add_writer(value) || !add_readers(value)) return std::nullopt;
    }
    return flow_;
  }

 private:
  void reach(const std::string& value) {
    if (!value.empty() && flow_.values.insert(value).second) pending_.push_back(value);
  }

  void reach_all_of(const Node& mover) {
    for (std::size_t i = 0; i < code_inputs(mover); ++i) reach(mover.inputs[i]);
    for (std::size_t i = 0; i < code_outputs(mover); ++i) reach(mover.outputs[i]);
  }

  bool has_constant_zero_point(const Node& node) const {
    const std::string& zero_point = graph::input_or_empty(node, 2);
    return zero_point.empty() || graph_.constant(zero_point) != nullptr;
  }

  bool add_writer(const std::string& value) {
    const auto writer = graph_.producer(value);
    if (!writer) return false;
    const Node& node = graph_[*writer];
    if (is_quantize(node)) {
      flow_.quantizers.insert(*writer);
      return code_type(graph_, node) == DType::i8 && has_constant_zero_point(node) &&
             graph_.constant(node.inputs.front()) == nullptr;
    }
    if (!is_mover(node)) return false;
    reach_all_of(node);
    return value == node.output() || code_outputs(node) > 1;
  }

  bool add_readers(const std::string& value) {
    return std::ranges::all_of(graph_.uses(value), [&](const graph::Use& use) {
      const Node& node = graph_[use.node];
      if (is_dequantize(node) && use.input == 0) {
        flow_.dequantizers.insert(use.node);
        return has_constant_zero_point(node);
      }
      if (!is_mover(node) || use.input >= code_inputs(node)) return false;
      reach_all_of(node);
      return true;
    });
  }

  const Graph& graph_;
  Flow flow_;
  std::vector<std::string> pending_;
};

/// Rewrites flows; zero points that nodes shared stay shared.
class Shifter {
 public:
  explicit Shifter(Graph& graph) : graph_(graph) {}

  void shift(const Flow& flow) {
    for (const NodeId id : flow.quantizers) {
      shift(graph_[id]);
      graph_[id].attributes.erase("output_dtype");
    }
    for (const NodeId id : flow.dequantizers) shift(graph_[id]);
    for (const std::string& value : flow.values) {
      const auto known = graph_.value_types.find(value);
      if (known != graph_.value_types.end()) known->second.dtype = DType::u8;
    }
  }

  void remove_unread_zero_points() {
    for (const auto& [old_name, new_name] : renamed_) {
      if (graph_.readers(old_name) == 0) graph_.constants.erase(old_name);
    }
  }

 private:
  void shift(Node& node) {
    const std::string old_name = graph::input_or_empty(node, 2);
    node.inputs.resize(3);
    node.inputs[2] = old_name.empty() ? from_nothing(node) : shifted(old_name);
  }

  std::string add(const std::string& stem, const Shape& shape,
                  const std::vector<std::uint8_t>& codes) {
    std::string name = graph_.fresh_value_name(stem);
    graph_.constants[name] = Tensor::of(shape, codes);
    return name;
  }

  std::string shifted(const std::string& old_name) {
    if (const auto known = renamed_.find(old_name); known != renamed_.end()) return known->second;
    const Tensor zero_point = graph_.constants.find(old_name)->second;
    std::vector<std::uint8_t> codes;
    for (const std::int8_t code : zero_point.values<std::int8_t>()) {
      codes.push_back(static_cast<std::uint8_t>(code + kShift));
    }
    return renamed_[old_name] = add(old_name + "_u8", zero_point.shape(), codes);
  }

  /// An absent zero point means 0 in every channel.
  std::string from_nothing(const Node& node) {
    const auto dims = graph_.type_of(node.inputs[1]).dims;
    const Shape shape = dims ? graph::fixed_shape(*dims).value_or(Shape{}) : Shape{};
    const auto count = static_cast<std::size_t>(element_count(shape));
    return add(node.output() + "_zero_point", shape, std::vector<std::uint8_t>(count, kShift));
  }

  Graph& graph_;
  std::map<std::string, std::string> renamed_;
};

}  // namespace

int shift_activations_to_uint8(Graph& graph) {
  std::set<NodeId> done;
  Shifter shifter(graph);
  int shifted = 0;
  for (const NodeId id : graph.nodes()) {
    if (!is_quantize(graph[id]) || done.contains(id)) continue;
    const auto flow = FlowTracer(graph).trace(id);
    if (!flow) continue;
    shifter.shift(*flow);
    done.insert(flow->quantizers.begin(), flow->quantizers.end());
    shifted += static_cast<int>(flow->quantizers.size());
  }
  shifter.remove_unread_zero_points();
  return shifted;
}

}  // namespace yoloq::runtime::openvino
