// SPDX-License-Identifier: Apache-2.0
#include "quantize/float_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/half.h"
#include "graph/shapes.h"
#include "onnx/upgrade.h"
#include "quantize/detail/reach.h"
#include "quantize/detail/silu.h"
#include "quantize/half_scales.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr int kHalfQuantizerOpset = 19;

/// What becomes of an operator.
enum class Role { computes, moves, quantizes };

struct Rule {
  std::string_view op;
  Role role;
};

/// The operators that compute in float16. To add one: a row, if what it computes between its
/// inputs and its outputs stays in float16's range whenever these do.
constexpr std::array kRules = {
    Rule{"Add", Role::computes},
    Rule{"AveragePool", Role::computes},
    Rule{"Clip", Role::computes},
    Rule{"Concat", Role::moves},
    Rule{"Conv", Role::computes},
    Rule{"DequantizeLinear", Role::quantizes},
    Rule{"Flatten", Role::moves},
    Rule{"GlobalAveragePool", Role::computes},
    Rule{"HardSigmoid", Role::computes},
    Rule{"HardSwish", Role::computes},
    Rule{"Identity", Role::moves},
    Rule{"LeakyRelu", Role::computes},
    Rule{"MaxPool", Role::moves},
    Rule{"Mul", Role::computes},
    Rule{"Pad", Role::moves},
    Rule{"QuantizeLinear", Role::quantizes},
    Rule{"Relu", Role::computes},
    Rule{"Reshape", Role::moves},
    Rule{"Resize", Role::moves},
    Rule{"Sigmoid", Role::computes},
    Rule{"Slice", Role::moves},
    Rule{"Split", Role::moves},
    Rule{"Squeeze", Role::moves},
    Rule{"Sub", Role::computes},
    Rule{"Transpose", Role::moves},
    Rule{"Unsqueeze", Role::moves},
};

const Rule* rule_of(const Node& node) {
  if (!node.domain.empty()) return nullptr;
  const auto row = std::ranges::find(kRules, node.op, &Rule::op);
  return row == kRules.end() ? nullptr : &*row;
}

bool quantizes(const Node& node) {
  const Rule* rule = rule_of(node);
  return rule != nullptr && rule->role == Role::quantizes;
}

/// False for inputs that may be of another type than the rest: the scales and the region of Resize,
/// and what is only asked for its shape or for another type.
bool has_model_type(const Node& node, std::size_t input) {
  if (node.op == "Resize") return input == 0;
  return node.op != "Shape" && node.op != "Size" && node.op != "Cast";
}

/// The inputs and outputs of `node` that are float32.
class Types {
 public:
  explicit Types(const Graph& graph) : graph_(graph), known_(graph) {}

  bool is_float(const std::string& value) const {
    if (value.empty()) return false;
    if (const Tensor* constant = graph_.constant(value)) return constant->dtype() == DType::f32;
    return known_.type_of(value).dtype == DType::f32;
  }

  bool is_half(const std::string& value) const { return known_.type_of(value).dtype == DType::f16; }

  std::vector<std::size_t> float_inputs(const Node& node) const {
    std::vector<std::size_t> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (has_model_type(node, i) && is_float(node.inputs[i])) inputs.push_back(i);
    }
    return inputs;
  }

 private:
  const Graph& graph_;
  graph::Knowledge known_;
};

double largest(const Tensor& tensor) {
  double reach = 0;
  for (const float value : tensor.to_floats()) reach = std::max(reach, std::abs(double{value}));
  return reach;
}

/// The first constant of `node` that float16 cannot hold.
std::string_view large_constant(const Graph& graph, const Types& types, const Node& node) {
  for (const std::size_t input : types.float_inputs(node)) {
    const Tensor* constant = graph.constant(node.inputs[input]);
    if (constant != nullptr && largest(*constant) > kLargestHalf) return node.inputs[input];
  }
  return {};
}

/// True if `node` only moves what a node of `region` computes.
bool carries_on(const Graph& graph, const Node& node, const std::set<NodeId>& region) {
  const Rule* rule = rule_of(node);
  if (rule == nullptr || rule->role != Role::moves || node.op == "Concat") return false;
  const auto producer = graph.producer(graph::input_or_empty(node, 0));
  return producer && region.contains(*producer);
}

/// The convolutions and what comes before them, and what moves their results on.
std::set<NodeId> half_region(const Graph& graph) {
  std::set<NodeId> region = detail::ancestors_of_convolutions(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (node.op == "Conv" || carries_on(graph, node, region)) region.insert(id);
  }
  return region;
}

class Rewrite {
 public:
  Rewrite(Graph& graph, const FloatTypeOptions& options)
      : graph_(graph), options_(options), types_(graph), region_(half_region(graph)) {}

  void run() {
    const std::vector<NodeId> order = graph_.nodes();
    for (const NodeId id : order) {
      if (!quantizes(graph_[id]) && wants_half(graph_[id], id)) half_.insert(id);
    }
    for (const NodeId id : order) choose_quantizer(id);
    for (const NodeId id : order) rewrite(id);
    drop_idle();
  }

 private:
  bool wants_half(const Node& node, NodeId id) const {
    const auto named = options_.nodes.find(label_of(node));
    if (named != options_.nodes.end()) return named->second == Precision::fp16;
    return options_.type == Precision::fp16 && region_.contains(id) && rule_of(node) != nullptr &&
           large_constant(graph_, types_, node).empty();
  }

  /// In execution order: what a QuantizeLinear reads is decided before it is, its readers are.
  void choose_quantizer(NodeId id) {
    const Node& node = graph_[id];
    if (!quantizes(node) || options_.type != Precision::fp16) return;
    const Tensor* scale = graph_.constant(graph::input_or_empty(node, 1));
    if (scale == nullptr || !fits_half(*scale)) return;
    if (node.op == "DequantizeLinear") {
      exact_.insert(node.output());
      const auto uses = graph_.uses(node.output());
      const bool read_in_half = std::ranges::any_of(uses, [&](const graph::Use& use) {
        return half_.contains(use.node) && has_model_type(graph_[use.node], use.input);
      });
      if (read_in_half) half_.insert(id);
      return;
    }
    const auto producer = graph_.producer(node.inputs[0]);
    if (producer && half_.contains(*producer)) half_.insert(id);
  }

  void rewrite(NodeId id) {
    const bool half = half_.contains(id);
    for (const std::size_t i : types_.float_inputs(graph_[id])) {
      const std::string value = graph_[id].inputs[i];  // The node may move while others are added.
      std::string typed = graph_.constant(value) != nullptr ? constant_as(graph_[id], value, half)
                                                            : value_as(value, half);
      graph_[id].inputs[i] = std::move(typed);
    }
    if (half) write_half(id);
  }

  std::string constant_as(const Node& node, const std::string& value, bool half) {
    if (!half) return value;
    const Tensor& tensor = *graph_.constant(value);
    if (largest(tensor) > kLargestHalf) {
      fail(ErrorCode::bad_value, "'{}' cannot run in fp16: its parameter '{}' reaches {}",
           label_of(node), value, largest(tensor));
    }
    const auto [place, is_new] = half_constants_.try_emplace(value);
    if (is_new) {
      place->second = graph_.fresh_value_name(value + "/float16");
      graph_.constants[place->second] = to_half(tensor);
    }
    return place->second;
  }

  /// `value` in the type that its reader takes.
  std::string value_as(const std::string& value, bool half) {
    if (halves_.contains(value) == half) return native(value);
    const auto [place, is_new] = converted_.try_emplace(value);
    if (!is_new) return place->second;
    if (exact_.contains(value)) return place->second = add_dequantizer(value, half);
    if (half && is_widened_half(value)) {
      return place->second = graph_[*graph_.producer(value)].inputs[0];
    }
    return place->second = add_cast(native(value), value, half);
  }

  /// Cast(h) to=float32 of a float16 value: Cast back, it is h.
  bool is_widened_half(const std::string& value) const {
    const auto producer = graph_.producer(value);
    if (!producer || graph_[*producer].op != "Cast") return false;
    const std::string& source = graph_[*producer].inputs[0];
    return halves_.contains(source) || types_.is_half(source);
  }

  std::string add_dequantizer(const std::string& value, bool half) {
    const NodeId original = *graph_.producer(native(value));
    Node node = graph_[original];
    const std::string suffix = half ? "/float16" : "/float32";
    const Tensor scale = *graph_.constant(node.inputs[1]);
    node.name = graph_.fresh_value_name(node.name + suffix);
    node.inputs[1] = graph_.fresh_value_name(value + suffix + "/scale");
    graph_.constants[node.inputs[1]] =
        half ? to_half(scale) : Tensor::of(scale.shape(), scale.to_floats());
    node.outputs = {graph_.fresh_value_name(value + suffix)};
    graph_.insert_after(original, node);
    note_type(node.output(), value, half);
    return node.output();
  }

  std::string add_cast(const std::string& from, const std::string& value, bool half) {
    const DType type = half ? DType::f16 : DType::f32;
    const std::string suffix = half ? "/float16" : "/float32";
    Node cast{.op = "Cast", .name = graph_.fresh_value_name(value + "/Cast"), .inputs = {from}};
    cast.outputs = {graph_.is_output(value) && !half ? value
                                                     : graph_.fresh_value_name(value + suffix)};
    cast.attributes["to"] = static_cast<std::int64_t>(type);
    const std::string output = cast.output();
    note_type(output, value, half);
    if (const auto producer = graph_.producer(from)) {
      graph_.insert_after(*producer, std::move(cast));
    } else {
      graph_.insert_before(graph_.nodes().front(), std::move(cast));
    }
    return output;
  }

  /// The outputs of a node are float16 from here on; one that the graph returns leaves its name to
  /// the Cast behind it.
  void write_half(NodeId id) {
    for (std::size_t i = 0; i < graph_[id].outputs.size(); ++i) {
      const std::string value = graph_[id].outputs[i];
      if (!types_.is_float(value)) continue;
      halves_[value] = value;
      if (!graph_.is_output(value)) {
        graph_.value_types[value].dtype = DType::f16;
        continue;
      }
      halves_[value] = graph_.fresh_value_name(value + "/float16");
      graph_[id].outputs[i] = halves_[value];
      converted_[value] = add_cast(halves_[value], value, false);
    }
  }

  const std::string& native(const std::string& value) const {
    const auto half = halves_.find(value);
    return half == halves_.end() ? value : half->second;
  }

  void note_type(const std::string& name, const std::string& like, bool half) {
    if (graph_.is_output(name)) return;
    graph_.value_types[name] = {half ? DType::f16 : DType::f32, graph_.type_of(like).dims};
  }

  /// Casts to float16 of what is float16, Casts that nobody reads, and constants of which only the
  /// copies are read.
  void drop_idle() {
    for (const NodeId id : graph_.nodes()) {
      const Node node = graph_[id];
      if (node.op != "Cast") continue;
      const bool narrows = node.integer("to", 0) == static_cast<std::int64_t>(DType::f16);
      if (narrows && halves_.contains(node.inputs[0])) {
        graph_.replace_uses(node.output(), native(node.inputs[0]));
      }
      if (graph_.readers(node.output()) > 0) continue;
      graph_.value_types.erase(node.output());
      graph_.erase(id);
    }
    for (const auto& [constant, half] : half_constants_) {
      if (graph_.readers(constant) == 0) graph_.constants.erase(constant);
    }
  }

  Graph& graph_;
  const FloatTypeOptions& options_;
  const Types types_;
  const std::set<NodeId> region_;
  std::set<NodeId> half_;                              // Nodes that compute in float16.
  std::set<std::string, std::less<>> exact_;           // Dequantized values with scales that fit.
  std::map<std::string, std::string> halves_;          // Values that are float16: to their names.
  std::map<std::string, std::string> converted_;       // Values to themselves in the other type.
  std::map<std::string, std::string> half_constants_;  // Constants to their float16 copies.
};

/// Bounds of values that a node reads or writes, one after the other.
template <typename Visit>
void for_each_bound(const Node& node, const Types& types, const Intervals& bounds, Visit visit) {
  const auto at = [&](const std::string& value) {
    const auto found = bounds.find(value);
    if (found != bounds.end() && types.is_float(value)) visit(value, found->second);
  };
  for (const std::string& value : node.inputs) at(value);
  for (const std::string& value : node.outputs) at(value);
}

bool is_wide(const Interval& interval) { return !(interval.reach() <= kHalfLimit); }

std::string reason(const std::string& value, const Interval& interval) {
  if (!std::isfinite(interval.reach())) {
    return fmt::format("no bound of '{}' is known; float16 ends at 65504", value);
  }
  return fmt::format("'{}' may reach {:.0f}; float16 ends at 65504", value, interval.reach());
}

std::string why_fp32(const Graph& graph, const Types& types, const Node& node,
                     const Intervals& bounds) {
  if (rule_of(node) == nullptr) return fmt::format("{} is not computed in float16", node.op);
  if (const auto constant = large_constant(graph, types, node); !constant.empty()) {
    return fmt::format("its constant '{}' does not fit in float16", constant);
  }
  std::string why;
  for_each_bound(node, types, bounds, [&](const std::string& value, const Interval& interval) {
    if (why.empty() && is_wide(interval)) why = reason(value, interval);
  });
  return why;
}

}  // namespace

const std::string& label_of(const Node& node) {
  return node.name.empty() ? node.output() : node.name;
}

void set_float_type(Graph& graph, const FloatTypeOptions& options) {
  const auto nodes = graph.nodes();
  const bool quantized =
      std::ranges::any_of(nodes, [&](const NodeId id) { return quantizes(graph[id]); });
  if (quantized && options.type == Precision::fp16 && graph.opset() < kHalfQuantizerOpset) {
    onnx::upgrade_opset(graph, kHalfQuantizerOpset);
  }
  Rewrite(graph, options).run();
}

std::vector<Fp32Node> find_fp32_nodes(const Graph& graph, const Intervals& bounds) {
  const Types types(graph);
  const std::set<NodeId> region = half_region(graph);
  std::vector<Fp32Node> found;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    const bool is_float = !types.float_inputs(node).empty() && !quantizes(node);
    if (!region.contains(id) || !is_float) continue;
    std::string why = why_fp32(graph, types, node, bounds);
    if (!why.empty()) found.push_back({label_of(node), std::move(why)});
  }
  return found;
}

std::vector<std::string> values_to_observe(const Graph& graph, const Intervals& bounds) {
  const Types types(graph);
  const std::set<NodeId> region = half_region(graph);
  std::vector<std::string> values;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    const Rule* rule = rule_of(node);
    const bool computes = rule != nullptr && rule->role == Role::computes;
    if (!region.contains(id) || !computes || detail::silu_input(graph, node) >= 0) continue;
    const auto bound = bounds.find(node.output());
    const bool wide = bound == bounds.end() || is_wide(bound->second);
    if (wide && types.is_float(node.output())) values.push_back(node.output());
  }
  return values;
}

}  // namespace yoloq::quantize
