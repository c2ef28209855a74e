// SPDX-License-Identifier: Apache-2.0
#include "quantize/value_bounds.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "calibrate/calibrator.h"
#include "quantize/detail/silu.h"
#include "quantize/scale.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;

namespace {

constexpr Interval kUnknown{};
constexpr Interval kImage{.low = 0, .high = 1};

/// Operators whose outputs are values of their first input.
constexpr std::array<std::string_view, 11> kMoving = {
    "MaxPool",   "Slice",   "Split",    "Reshape", "Transpose", "Squeeze",
    "Unsqueeze", "Flatten", "Identity", "Cast",    "Gather"};

Interval hull(const Interval& a, const Interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Interval sum(const Interval& a, const Interval& b) { return {a.low + b.low, a.high + b.high}; }

/// 0 times anything is 0, also times a bound that is not known.
double times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

Interval product(const Interval& a, const Interval& b) {
  const auto [low, high] = std::minmax(
      {times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)});
  return {low, high};
}

Interval interval_of(const Tensor& tensor) {
  if (tensor.size() == 0) return {0, 0};
  const std::vector<float> values = tensor.to_floats();
  const auto [low, high] = std::ranges::minmax(values);
  return {low, high};
}

/// The parameters of a Conv: plain constants, or codes behind DequantizeLinear.
std::optional<std::vector<float>> parameters(const Graph& graph, const std::string& value) {
  if (const Tensor* constant = graph.constant(value)) return constant->to_floats();
  const auto producer = graph.producer(value);
  if (!producer || graph[*producer].op != "DequantizeLinear") return std::nullopt;
  const Node& node = graph[*producer];
  const Tensor* codes = graph.constant(node.inputs[0]);
  const Tensor* scale = graph.constant(node.inputs[1]);
  const bool known = codes != nullptr && scale != nullptr && scale->size() > 0 &&
                     codes->size() % scale->size() == 0 &&
                     (scale->size() == 1 || node.integer("axis", 1) == 0);
  if (!known) return std::nullopt;
  const std::vector<float> scales = scale->to_floats();
  std::vector<float> values = codes->to_floats();
  const std::size_t length = values.size() / scales.size();
  const Tensor* zero = graph.constant(graph::input_or_empty(node, 2));
  const std::vector<float> zeros = zero == nullptr ? std::vector<float>{} : zero->to_floats();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / length;
    const float offset = channel < zeros.size() ? zeros[channel] : 0.0f;
    values[i] = (values[i] - offset) * scales[channel];
  }
  return values;
}

/// The quantizer of a QuantizeLinear or DequantizeLinear with one constant scale.
std::optional<Quantizer> quantizer_of(const Graph& graph, const Node& node) {
  const Tensor* scale = graph.constant(graph::input_or_empty(node, 1));
  const Tensor* zero = graph.constant(graph::input_or_empty(node, 2));
  if (scale == nullptr || scale->size() != 1) return std::nullopt;
  const DType dtype = zero == nullptr ? DType::u8 : zero->dtype();
  if (dtype != DType::i8 && dtype != DType::u8) return std::nullopt;
  return Quantizer{dtype, scale->to_floats()[0],
                   zero == nullptr ? 0 : static_cast<int>(zero->to_floats()[0])};
}

class Walk {
 public:
  Walk(const Graph& graph, const Intervals& seen) : graph_(graph), seen_(seen) {}

  Intervals run() && {
    for (const graph::NodeId id : graph_.nodes()) {
      const Node& node = graph_[id];
      const Interval interval = of_node(node);
      for (const std::string& output : node.outputs) {
        if (!output.empty()) known_[output] = narrowed(interval, output);
      }
    }
    return std::move(known_);
  }

 private:
  Interval narrowed(const Interval& interval, const std::string& value) const {
    const auto found = seen_.find(value);
    if (found == seen_.end()) return interval;
    return {std::max(interval.low, found->second.low), std::min(interval.high, found->second.high)};
  }

  Interval of(const std::string& value) const {
    if (const auto found = known_.find(value); found != known_.end()) return found->second;
    if (const Tensor* constant = graph_.constant(value)) return interval_of(*constant);
    return graph_.is_input(value) ? kImage : kUnknown;
  }

  Interval input(const Node& node, std::size_t index = 0) const {
    return of(graph::input_or_empty(node, index));
  }

  Interval of_node(const Node& node) const {
    if (!node.domain.empty() || node.inputs.empty()) return kUnknown;
    const std::string& op = node.op;
    if (op == "Conv") return of_conv(node);
    if (op == "QuantizeLinear") return of_quantized(node);
    if (op == "DequantizeLinear") return of_dequantized(node);
    if (op == "Sigmoid" || op == "HardSigmoid") return {0, 1};
    if (op == "Clip") return of_clip(node);
    if (op == "Relu") return {std::max(input(node).low, 0.0), std::max(input(node).high, 0.0)};
    if (op == "LeakyRelu") return hull(input(node), of_leak(node));
    if (op == "HardSwish") return {detail::kHardswishLow, std::max(input(node).high, 0.0)};
    if (op == "Mul") return of_product(node);
    if (op == "Add" && node.inputs.size() == 2) return sum(input(node), input(node, 1));
    if (op == "Sub" && node.inputs.size() == 2) {
      const Interval other = input(node, 1);
      return sum(input(node), {-other.high, -other.low});
    }
    if (op == "Concat") return of_concat(node);
    if (op == "Pad") return hull(input(node), input_or_zero(node, 2));
    if (op == "AveragePool" || op == "GlobalAveragePool") return hull(input(node), {0, 0});
    if (op == "Resize") return node.text("mode", "nearest") == "cubic" ? kUnknown : input(node);
    return std::ranges::find(kMoving, op) == kMoving.end() ? kUnknown : input(node);
  }

  Interval input_or_zero(const Node& node, std::size_t index) const {
    return graph::input_or_empty(node, index).empty() ? Interval{0, 0} : input(node, index);
  }

  /// Limits are inputs since opset 11, attributes before; absent ones limit nothing.
  Interval of_clip(const Node& node) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    Interval limits{.low = node.real("min", -kInfinity), .high = node.real("max", kInfinity)};
    for (const std::size_t i : {1, 2}) {
      const std::string& name = graph::input_or_empty(node, i);
      if (name.empty()) continue;
      const Tensor* limit = graph_.constant(name);
      if (limit == nullptr || limit->size() != 1) return kUnknown;
      (i == 1 ? limits.low : limits.high) = limit->to_floats()[0];
    }
    const auto clipped = [&](double x) { return std::min(std::max(x, limits.low), limits.high); };
    return {clipped(input(node).low), clipped(input(node).high)};
  }

  Interval of_leak(const Node& node) const {
    const double slope = node.real("alpha", 0.01f);
    return product(input(node), {slope, slope});
  }

  Interval of_product(const Node& node) const {
    const int x = detail::silu_input(graph_, node);
    if (x < 0) return node.inputs.size() == 2 ? product(input(node), input(node, 1)) : kUnknown;
    const double high = input(node, static_cast<std::size_t>(x)).high;
    return {double{calibrate::kSiluMinimum}, std::max(high, 0.0)};
  }

  Interval of_concat(const Node& node) const {
    Interval all = input(node);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) all = hull(all, input(node, i));
    return all;
  }

  /// Padding adds zeros, so 0 is always among the inputs.
  Interval of_conv(const Node& node) const {
    const auto weight = parameters(graph_, graph::input_or_empty(node, 1));
    const std::string& bias_name = graph::input_or_empty(node, 2);
    const auto bias = bias_name.empty() ? std::vector<float>{} : parameters(graph_, bias_name);
    if (!weight || !bias || !weight_channels(node)) return kUnknown;
    const std::size_t channels = *weight_channels(node);
    const std::size_t length = weight->size() / channels;
    const Interval x = hull(input(node), {0, 0});
    Interval all{.low = std::numeric_limits<double>::infinity(),
                 .high = -std::numeric_limits<double>::infinity()};
    for (std::size_t c = 0; c < channels; ++c) {
      const double offset = c < bias->size() ? (*bias)[c] : 0.0;
      Interval channel{offset, offset};
      for (std::size_t i = 0; i < length; ++i) {
        const double w = (*weight)[c * length + i];
        channel = sum(channel, product(x, {w, w}));
      }
      all = hull(all, channel);
    }
    return all;
  }

  /// Output channels of a Conv; none if its weight is computed.
  std::optional<std::size_t> weight_channels(const Node& conv) const {
    const Tensor* stored = graph_.constant(conv.inputs[1]);
    if (stored == nullptr) {
      const auto producer = graph_.producer(conv.inputs[1]);
      stored = producer ? graph_.constant(graph_[*producer].inputs[0]) : nullptr;
    }
    if (stored == nullptr || stored->rank() < 1 || stored->shape()[0] <= 0) return std::nullopt;
    return static_cast<std::size_t>(stored->shape()[0]);
  }

  /// In real values: what the codes stand for.
  Interval of_quantized(const Node& node) const {
    const auto quantizer = quantizer_of(graph_, node);
    if (!quantizer) return kUnknown;
    const Interval x = input(node);
    const Interval all = of_codes(*quantizer);
    const auto end = [&](double value, double fallback) {
      return std::isfinite(value) ? double{fake_quantize(static_cast<float>(value), *quantizer)}
                                  : fallback;
    };
    return {end(x.low, all.low), end(x.high, all.high)};
  }

  Interval of_dequantized(const Node& node) const {
    if (graph_.producer(node.inputs[0])) {
      const Node& producer = graph_[*graph_.producer(node.inputs[0])];
      const auto quantizer = quantizer_of(graph_, node);
      const bool same = quantizer && producer.op == "QuantizeLinear" &&
                        quantizer_of(graph_, producer) == quantizer;
      if (same) return of(node.inputs[0]);
      return quantizer ? of_codes(*quantizer) : kUnknown;
    }
    const auto values = parameters(graph_, node.output());
    if (!values || values->empty()) return kUnknown;
    const auto [low, high] = std::ranges::minmax(*values);
    return {low, high};
  }

  static Interval of_codes(const Quantizer& quantizer) {
    const auto [low, high] = code_limits(quantizer.dtype);
    return {double{quantizer.scale} * (low - quantizer.zero_point),
            double{quantizer.scale} * (high - quantizer.zero_point)};
  }

  const Graph& graph_;
  const Intervals& seen_;
  Intervals known_;
};

}  // namespace

Intervals value_bounds(const Graph& graph, const Intervals& seen) {
  return Walk(graph, seen).run();
}

}  // namespace yoloq::quantize
