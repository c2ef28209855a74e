// SPDX-License-Identifier: Apache-2.0
#include "runtime/literal_float.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/half.h"
#include "runtime/detail/quantizer.h"

namespace yoloq::runtime {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::int64_t kFirstOpset = 11;  // The first with Round.

struct CodeRange {
  DType type;
  float low;
  float high;
};

constexpr std::array kCodeRanges{
    CodeRange{DType::u8, 0, 255},
    CodeRange{DType::i8, -128, 127},
    CodeRange{DType::u16, 0, 65535},
    CodeRange{DType::i16, -32768, 32767},
};

[[noreturn]] void refuse(const Node& node, std::string_view why) {
  fail(ErrorCode::unsupported, "{} '{}' cannot be written out in float: {}", node.op,
       node.name.empty() ? node.output() : node.name, why);
}

/// What one quantizer's constants say.
struct Parameters {
  DType real = DType::f32;  ///< Type of the real values: the scale's.
  std::vector<float> scale;
  std::vector<float> zero_point;  ///< As many as scales.
  std::int64_t axis = 0;          ///< As written; means nothing for a single scale.

  bool per_channel() const { return scale.size() > 1; }
};

Tensor real_tensor(DType type, Shape shape, const std::vector<float>& values) {
  if (type == DType::f32) return Tensor::of(std::move(shape), values);
  std::vector<std::uint16_t> halves(values.size());
  std::ranges::transform(values, halves.begin(), float_to_half);
  return {DType::f16, std::move(shape), std::as_bytes(std::span(halves))};
}

/// Rewrites a copy of a graph, quantizer by quantizer, in execution order.
class Writer {
 public:
  Writer(Graph graph, bool round) : graph_(std::move(graph)), round_(round) {}

  Graph write() && {
    if (graph_.opset() < kFirstOpset) {
      fail(ErrorCode::unsupported, "opset {} has no Round; convert the model to {} or later",
           graph_.opset(), kFirstOpset);
    }
    for (const NodeId id : graph_.nodes()) {
      if (is_quantize(graph_[id])) {
        write_quantize(id);  // May erase the node.
      } else if (is_dequantize(graph_[id])) {
        write_dequantize(id);
      }
    }
    return std::move(graph_);
  }

  Graph write_constants(std::span<const NodeId> dequantizers) && {
    for (const NodeId id : dequantizers) {
      const auto quantize = graph_.producer(graph_[id].inputs[0]);
      if (quantize && is_quantize(graph_[*quantize])) write_quantize(*quantize);
      write_dequantize(id);
    }
    return std::move(graph_);
  }

 private:
  const Tensor& constant_input(const Node& node, std::size_t index, std::string_view what) const {
    const Tensor* tensor = graph_.constant(graph::input_or_empty(node, index));
    if (tensor == nullptr) refuse(node, std::string("its ") + std::string(what) + " is computed");
    return *tensor;
  }

  Parameters parameters_of(const Node& node) const {
    if (node.integer("block_size", 0) != 0) refuse(node, "it is blocked");
    const Tensor& scale = constant_input(node, 1, "scale");
    Parameters result;
    result.real = scale.dtype();
    if (result.real != DType::f32 && result.real != DType::f16) {
      refuse(node, "its scale is neither float32 nor float16");
    }
    result.scale = scale.to_floats();
    result.zero_point.assign(result.scale.size(), 0.0f);
    if (!graph::input_or_empty(node, 2).empty()) {
      result.zero_point = constant_input(node, 2, "zero point").to_floats();
    }
    if (result.zero_point.size() != result.scale.size() || result.scale.empty()) {
      refuse(node, "it has not as many zero points as scales");
    }
    result.axis = node.integer("axis", 1);
    return result;
  }

  /// The index of `axis` counted from the last dimension, 0 for the last itself.
  std::int64_t dimensions_after(const Node& node, std::int64_t axis) const {
    if (axis < 0) return -axis - 1;
    const auto dims = graph_.type_of(node.inputs[0]).dims;
    if (!dims) refuse(node, "it is per channel and the rank of its input is not known");
    const auto after = static_cast<std::int64_t>(dims->size()) - axis - 1;
    if (after < 0) refuse(node, "its axis is beyond the rank of its input");
    return after;
  }

  /// A constant that broadcasts `values` along the quantizer's axis.
  std::string add_parameter(const Node& node, const Parameters& parameters,
                            const std::vector<float>& values, std::string_view suffix) {
    Shape shape;
    if (parameters.per_channel()) {
      shape.assign(1 + static_cast<std::size_t>(dimensions_after(node, parameters.axis)), 1);
      shape.front() = static_cast<std::int64_t>(values.size());
    }
    std::string name = graph_.fresh_value_name(node.output() + std::string(suffix));
    graph_.constants[name] = real_tensor(parameters.real, std::move(shape), values);
    return name;
  }

  /// Inserts `op` before `position` and returns the name of its output.
  std::string insert(NodeId position, const std::string& op, std::vector<std::string> inputs) {
    const Node& origin = graph_[position];
    const std::string stem = origin.name.empty() ? origin.output() : origin.name;
    const std::string output = graph_.fresh_value_name(origin.output() + "_" + op);
    Node node{.op = op,
              .domain = {},
              .name = stem + "/" + op,
              .inputs = std::move(inputs),
              .outputs = {output},
              .attributes = {},
              .captured = {},
              .doc = {}};
    graph_.insert_before(position, std::move(node));
    return output;
  }

  /// Lets the node itself become the last operator of its written form.
  void become(NodeId id, std::string op, std::vector<std::string> inputs) {
    Node& node = graph_[id];
    node.op = std::move(op);
    node.inputs = std::move(inputs);
    node.attributes.clear();
  }

  /// Stores what `compute(value, channel)` makes of a constant as the node's output.
  template <typename Compute>
  void fold(NodeId id, const Parameters& parameters, Compute compute) {
    const Node node = graph_[id];
    const Tensor input = *graph_.constant(node.inputs[0]);
    std::vector<float> values = input.to_floats();
    std::size_t inner = 1;
    if (parameters.per_channel()) {
      const auto after = static_cast<std::size_t>(dimensions_after(node, parameters.axis));
      const Shape& shape = input.shape();
      if (after >= shape.size() ||
          shape[shape.size() - 1 - after] != static_cast<std::int64_t>(parameters.scale.size())) {
        refuse(node, "it has not one scale per channel of its input");
      }
      for (std::size_t i = shape.size() - after; i < shape.size(); ++i) {
        inner *= static_cast<std::size_t>(shape[i]);
      }
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = compute(values[i], (i / inner) % parameters.scale.size());
    }
    graph_.constants[node.output()] = real_tensor(parameters.real, input.shape(), values);
    graph_.value_types.erase(node.output());
    graph_.erase(id);
    if (graph_.readers(node.inputs[0]) == 0) graph_.constants.erase(node.inputs[0]);
  }

  CodeRange range_of(const Node& node) const {
    const DType type = code_type(graph_, node);
    const auto range = std::ranges::find(kCodeRanges, type, &CodeRange::type);
    if (range == kCodeRanges.end()) {
      refuse(node, "codes of type " + std::string(name_of(type)) + " are not supported");
    }
    return *range;
  }

  void refuse_integer_readers(const Node& node) const {
    if (graph_.is_output(node.output())) refuse(node, "its codes are an output of the model");
    for (const graph::Use& use : graph_.uses(node.output())) {
      const std::string& op = graph_[use.node].op;
      if (op.starts_with("QLinear") || op.ends_with("Integer")) {
        refuse(node, "the integer operator " + op + " reads its codes");
      }
    }
  }

  void write_quantize(NodeId id) {
    const Node node = graph_[id];
    const CodeRange range = range_of(node);
    const Parameters parameters = parameters_of(node);
    refuse_integer_readers(node);
    graph_.value_types[node.output()] = {parameters.real, graph_.type_of(node.inputs[0]).dims};

    if (graph_.constant(node.inputs[0]) != nullptr) {
      return fold(id, parameters, [&](float value, std::size_t channel) {
        const float code = std::nearbyint(value / parameters.scale[channel]);
        return std::clamp(code + parameters.zero_point[channel], range.low, range.high);
      });
    }
    if (!round_) return become(id, "Identity", {node.inputs[0]});
    const auto limit = [&](float value, std::string_view suffix) {
      const std::string name = graph_.fresh_value_name(node.output() + std::string(suffix));
      graph_.constants[name] = real_tensor(parameters.real, {}, {value});
      return name;
    };
    const std::string scale = add_parameter(node, parameters, parameters.scale, "_scale");
    const std::string zero = add_parameter(node, parameters, parameters.zero_point, "_zero_point");
    const std::string divided = insert(id, "Div", {node.inputs[0], scale});
    const std::string rounded = insert(id, "Round", {divided});
    const std::string shifted = insert(id, "Add", {rounded, zero});
    become(id, "Clip", {shifted, limit(range.low, "_low"), limit(range.high, "_high")});
  }

  void write_dequantize(NodeId id) {
    const Node node = graph_[id];
    const Parameters parameters = parameters_of(node);
    if (graph_.constant(node.inputs[0]) != nullptr) {
      return fold(id, parameters, [&](float code, std::size_t channel) {
        return (code - parameters.zero_point[channel]) * parameters.scale[channel];
      });
    }
    if (!round_) return become(id, "Identity", {node.inputs[0]});
    const std::string scale = add_parameter(node, parameters, parameters.scale, "_scale");
    const std::string zero = add_parameter(node, parameters, parameters.zero_point, "_zero_point");
    const std::string codes = insert(id, "Cast", {node.inputs[0]});
    const NodeId cast = *graph_.producer(codes);
    graph_[cast].attributes["to"] = static_cast<std::int64_t>(parameters.real);
    const std::string centred = insert(id, "Sub", {codes, zero});
    become(id, "Mul", {centred, scale});
  }

  Graph graph_;
  bool round_;
};

}  // namespace

Graph literal_float(const Graph& graph) { return Writer(graph, true).write(); }

Graph without_activation_rounding(const Graph& graph) { return Writer(graph, false).write(); }

Graph with_float_constants(Graph graph, std::span<const NodeId> dequantizers) {
  return Writer(std::move(graph), true).write_constants(dequantizers);
}

}  // namespace yoloq::runtime
