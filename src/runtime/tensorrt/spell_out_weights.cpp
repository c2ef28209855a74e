// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/spell_out_weights.h"

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "runtime/detail/quantizer.h"

namespace yoloq::runtime::tensorrt {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

/// The index of a weight's channel goes with its element, or is 0 for one scale.
class Channels {
 public:
  Channels(const Shape& shape, std::int64_t axis, std::size_t scales) : scales_(scales) {
    if (scales == 1) return;
    const auto rank = static_cast<std::int64_t>(shape.size());
    for (std::int64_t i = (axis < 0 ? axis + rank : axis) + 1; i < rank; ++i) {
      inner_ *= static_cast<std::size_t>(shape[static_cast<std::size_t>(i)]);
    }
  }

  std::size_t of(std::size_t element) const { return element / inner_ % scales_; }

 private:
  std::size_t scales_;
  std::size_t inner_ = 1;
};

/// The float weight of a DequantizeLinear of stored int8 codes; none for anything else.
std::optional<Tensor> float_weight(const Graph& graph, const Node& node) {
  if (!is_dequantize(node)) return std::nullopt;
  const Tensor* codes = graph.constant(node.inputs[0]);
  const Tensor* scale = graph.constant(node.inputs[1]);
  const std::string& zero_name = graph::input_or_empty(node, 2);
  const Tensor* zero = zero_name.empty() ? nullptr : graph.constant(zero_name);
  if (codes == nullptr || codes->dtype() != DType::i8) return std::nullopt;
  if (scale == nullptr || scale->dtype() != DType::f32) return std::nullopt;
  if (!zero_name.empty() && zero == nullptr) return std::nullopt;

  const auto scales = scale->values<float>();
  const Channels channels(codes->shape(), node.integer("axis", 1), scales.size());
  std::vector<float> values;
  values.reserve(codes->size());
  for (const std::int8_t code : codes->values<std::int8_t>()) {
    const std::size_t channel = channels.of(values.size());
    const int offset =
        zero == nullptr ? 0 : zero->values<std::int8_t>()[zero->size() == 1 ? 0 : channel];
    values.push_back(static_cast<float>(code - offset) * scales[channel]);
  }
  return Tensor::of(codes->shape(), values);
}

void write_out(Graph& graph, NodeId dequantize, const Tensor& weight) {
  const Node& node = graph[dequantize];
  const std::string codes = node.inputs[0];
  const std::string floats = graph.fresh_value_name(codes + "_float");
  graph.constants[floats] = weight;
  Node quantize{.op = "QuantizeLinear",
                .name = node.name.empty() ? "" : node.name + "/quantize",
                .inputs = node.inputs,
                .outputs = {graph.fresh_value_name(codes + "_codes")},
                .attributes = node.attributes};
  quantize.inputs[0] = floats;
  if (graph::input_or_empty(quantize, 2).empty()) {  // Without one the codes would be uint8.
    const std::string zero = graph.fresh_value_name(codes + "_zero_point");
    const Tensor& scale = *graph.constant(quantize.inputs[1]);
    graph.constants[zero] = Tensor::of(scale.shape(), std::vector<std::int8_t>(scale.size(), 0));
    quantize.inputs.resize(3);
    quantize.inputs[2] = zero;
    graph[dequantize].inputs = quantize.inputs;
  }
  const std::string output = quantize.output();
  graph.insert_before(dequantize, std::move(quantize));
  graph[dequantize].inputs[0] = output;
  if (graph.readers(codes) == 0) graph.constants.erase(codes);
}

/// The shape of the codes that `conv` has for a weight; empty for any other weight.
Shape shape_of_codes(const Graph& graph, const Node& conv) {
  const auto producer = graph.producer(graph::input_or_empty(conv, 1));
  if (!producer || !is_dequantize(graph[*producer])) return {};
  const Tensor* codes = graph.constant(graph[*producer].inputs[0]);
  return codes == nullptr ? Shape{} : codes->shape();
}

}  // namespace

int say_kernel_shapes(Graph& graph) {
  int written = 0;
  for (const NodeId id : graph.nodes()) {
    if (graph[id].op != "Conv" || graph[id].attributes.contains("kernel_shape")) continue;
    const Shape shape = shape_of_codes(graph, graph[id]);
    if (shape.size() < 3) continue;
    graph[id].attributes["kernel_shape"] =
        std::vector<std::int64_t>(shape.begin() + 2, shape.end());
    ++written;
  }
  return written;
}

int spell_out_weights(Graph& graph) {
  int written = 0;
  for (const NodeId id : graph.nodes()) {
    const auto weight = float_weight(graph, graph[id]);
    if (!weight) continue;
    write_out(graph, id, *weight);
    ++written;
  }
  return written;
}

}  // namespace yoloq::runtime::tensorrt
