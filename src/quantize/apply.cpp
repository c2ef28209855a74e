// SPDX-License-Identifier: Apache-2.0
#include "quantize/apply.h"

#include <charconv>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "quantize/float_type.h"
#include "quantize/layers.h"
#include "quantize/raise_quantizers.h"
#include "quantize/target.h"
#include "quantize/weights.h"

namespace yoloq::quantize {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Use;

namespace {

constexpr std::int64_t kPerChannelOpset = 13;

class Application {
 public:
  Application(const Graph& model, const Plan& plan) : graph_(model), plan_(plan) {
    for (const NodeId id : graph_.nodes()) {
      by_name_.emplace(graph_[id].name, id);
      labels_.insert(label_of(graph_[id]));
    }
    for (Layer& layer : quantizable_layers(graph_)) {
      std::string name = layer.name;
      layers_.emplace(std::move(name), std::move(layer));
    }
  }

  Graph run() && {
    graph_.opsets[""] = std::max(graph_.opset(), kPerChannelOpset);
    for (const ActivationPlan& activation : plan_.activations) {
      if (activation.on) quantize_activation(activation);
    }
    for (const WeightPlan& weight : plan_.weights) {
      if (weight.on) quantize_weight_of(layer_named(weight.layer), weight);
    }
    const FloatTypeOptions types = float_types();
    if (types.type != Precision::fp32 || !types.nodes.empty()) set_float_type(graph_, types);
    return std::move(graph_);
  }

 private:
  const Layer& layer_named(const std::string& name) const {
    const auto found = layers_.find(name);
    if (found != layers_.end()) return found->second;
    fail(ErrorCode::bad_argument, "the plan speaks of layer '{}', which this model lacks", name);
  }

  FloatTypeOptions float_types() const {
    FloatTypeOptions types{.type = plan_.float_type, .nodes = {}};
    for (const LayerPlan& layer : plan_.layers) {
      layer_named(layer.name);  // Also of layers that stay as they are.
      if (layer.precision == Precision::int8 || layer.precision == plan_.float_type) continue;
      types.nodes[layer.name] = layer.precision;
    }
    for (const Fp32Node& node : plan_.fp32_nodes) {
      if (!labels_.contains(node.name)) {
        fail(ErrorCode::bad_argument, "the plan speaks of node '{}', which this model lacks",
             node.name);
      }
      types.nodes[node.name] = Precision::fp32;
    }
    return types;
  }

  /// Resolves "node name:input index".
  Use reader_named(const std::string& reader) const {
    const auto colon = reader.rfind(':');
    std::size_t input = 0;
    const char* end = reader.data() + reader.size();
    const bool number = colon != std::string::npos &&
                        std::from_chars(reader.data() + colon + 1, end, input).ptr == end;
    const auto node = by_name_.find(reader.substr(0, colon));
    if (number && node != by_name_.end() && input < graph_[node->second].inputs.size()) {
      return {node->second, input};
    }
    fail(ErrorCode::bad_argument, "the plan speaks of reader '{}', which this model lacks", reader);
  }

  std::string add_constant(const std::string& stem, Tensor value) {
    const std::string name = graph_.fresh_value_name(stem);
    graph_.constants[name] = std::move(value);
    return name;
  }

  NodeId insert(std::optional<NodeId> after, Node node) {
    if (after) return graph_.insert_after(*after, std::move(node));
    const auto order = graph_.nodes();
    return order.empty() ? graph_.append(std::move(node))
                         : graph_.insert_before(order.front(), std::move(node));
  }

  void quantize_activation(const ActivationPlan& plan) {
    const std::string& tensor = plan.tensor;
    const auto producer = graph_.producer(tensor);
    if (!producer && !graph_.is_input(tensor)) {
      fail(ErrorCode::bad_argument, "the plan speaks of tensor '{}', which this model lacks",
           tensor);
    }
    const Quantizer& q = plan.quantizer;
    const Tensor zero = q.dtype == DType::i8
                            ? Tensor::scalar(static_cast<std::int8_t>(q.zero_point))
                            : Tensor::scalar(static_cast<std::uint8_t>(q.zero_point));
    const auto scale = add_constant(tensor + "/scale", Tensor::scalar(q.scale));
    const auto zero_point = add_constant(tensor + "/zero_point", zero);
    const Node quantize{.op = "QuantizeLinear",
                        .name = tensor + "/QuantizeLinear",
                        .inputs = {tensor, scale, zero_point},
                        .outputs = {graph_.fresh_value_name(tensor + "/quantized")}};
    const Node dequantize{.op = "DequantizeLinear",
                          .name = tensor + "/DequantizeLinear",
                          .inputs = {quantize.output(), scale, zero_point},
                          .outputs = {graph_.fresh_value_name(tensor + "/dequantized")}};
    insert(insert(producer, quantize), dequantize);
    for (const std::string& reader : plan.readers) {
      const Use use = reader_named(reader);
      std::string& input = graph_[use.node].inputs[use.input];
      if (input != tensor) {
        fail(ErrorCode::bad_argument, "the plan says that '{}' reads '{}'; it reads '{}'", reader,
             tensor, input);
      }
      input = dequantize.output();
    }
  }

  void quantize_weight_of(const Layer& layer, const WeightPlan& plan) {
    const Tensor* stored = graph_.constant(layer.weight);
    if (stored == nullptr) {
      fail(ErrorCode::bad_argument, "the plan quantizes the weight of '{}' twice", layer.name);
    }
    require_finite(graph_, layer);
    const Tensor weight = *stored;
    const auto channels = weight.shape()[0];
    const bool per_channel = plan.axis == 0;
    const std::vector<std::int8_t> zeros(plan.scales.size(), 0);
    Node dequantize{.op = "DequantizeLinear", .name = layer.name + ".weight/DequantizeLinear"};
    dequantize.inputs = {
        add_constant(layer.weight + "/quantized", codes_of(weight, plan)),
        add_constant(layer.weight + "/scale",
                     per_channel ? Tensor::list(plan.scales) : Tensor::scalar(plan.scales[0])),
        add_constant(layer.weight + "/zero_point",
                     per_channel ? Tensor::list(zeros) : Tensor::scalar(std::int8_t{0}))};
    dequantize.outputs = {graph_.fresh_value_name(layer.weight + "/dequantized")};
    if (per_channel) dequantize.attributes["axis"] = std::int64_t{0};
    graph_[layer.node].inputs[1] = dequantize.output();
    graph_.insert_before(layer.node, std::move(dequantize));
    shift_bias(layer, plan.bias_shift, channels);
    drop_if_idle(layer.weight);
  }

  void shift_bias(const Layer& layer, const std::vector<float>& shift, std::int64_t channels) {
    if (shift.empty()) return;
    if (std::ssize(shift) != channels) {
      fail(ErrorCode::bad_argument, "the plan shifts {} biases of '{}', which has {}", shift.size(),
           layer.name, channels);
    }
    std::vector<float> bias(shift.size(), 0.0f);
    if (const Tensor* present = graph_.constant(layer.bias)) bias = present->to_floats();
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += shift[i];
    Node& conv = graph_[layer.node];
    conv.inputs.resize(3);
    conv.inputs[2] = add_constant(layer.name + ".bias/corrected", Tensor::list(bias));
    drop_if_idle(layer.bias);
  }

  void drop_if_idle(const std::string& constant) {
    if (!constant.empty() && graph_.readers(constant) == 0) graph_.constants.erase(constant);
  }

  Graph graph_;
  const Plan& plan_;
  std::map<std::string, NodeId> by_name_;
  std::set<std::string> labels_;
  std::map<std::string, Layer> layers_;
};

}  // namespace

Tensor codes_of(const Tensor& weight, const WeightPlan& plan) {
  const std::size_t expected = plan.axis == 0 ? static_cast<std::size_t>(weight.shape().at(0)) : 1;
  if (plan.scales.size() != expected) {
    fail(ErrorCode::bad_argument, "the plan has {} scales for the weight of '{}', expected {}",
         plan.scales.size(), plan.layer, expected);
  }
  if (!plan.codes) return quantize_weight(weight, plan.scales, plan.top_code);
  if (plan.codes->dtype() == DType::i8 && plan.codes->shape() == weight.shape()) return *plan.codes;
  fail(ErrorCode::bad_argument, "the plan's codes for '{}' have the shape {}, its weight has {}",
       plan.layer, to_string(plan.codes->shape()), to_string(weight.shape()));
}

Graph apply(const Graph& model, const Plan& plan) { return Application(model, plan).run(); }

Graph apply_for_target(const Graph& model, const Plan& plan) {
  const Target& target = target_named(plan.target);
  Graph graph = apply(model, plan);
  if (target.placement == Placement::raised) raise_quantizers(graph);
  return graph;
}

}  // namespace yoloq::quantize
