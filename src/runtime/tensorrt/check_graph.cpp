// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/check_graph.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "graph/shapes.h"

namespace yoloq::runtime::tensorrt {

namespace {

using graph::Graph;
using graph::Node;

/// What keeps a quantizer's codes from being TensorRT's; empty if nothing does.
std::string_view fault_of(const Graph& graph, const Node& node) {
  const Tensor* zero_point = graph.constant(graph::input_or_empty(node, 2));
  if (zero_point != nullptr && zero_point->dtype() == DType::u8) return "uint8 codes";
  if (zero_point != nullptr && zero_point->dtype() == DType::i8) {
    const auto points = zero_point->values<std::int8_t>();
    const bool zero = std::ranges::all_of(points, [](std::int8_t point) { return point == 0; });
    return zero ? "" : "a zero point other than 0";
  }
  // Without a zero point QuantizeLinear gives uint8, says ONNX, and TensorRT would make int8 of it.
  const bool told =
      !graph::input_or_empty(node, 2).empty() || node.attributes.contains("output_dtype");
  return node.op == "QuantizeLinear" && !told ? "uint8 codes" : "";
}

bool is_quantizer(const Node& node) {
  return node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
}

const std::string& name_or_output(const Node& node) {
  return node.name.empty() ? node.output() : node.name;
}

/// float32 unless a constant of another float type says so.
DType float_dtype_of(const Graph& graph, const Node& conv) {
  for (const std::size_t input : {2, 1}) {
    const Tensor* constant = graph.constant(graph::input_or_empty(conv, input));
    if (constant != nullptr) return constant->dtype();
  }
  return DType::f32;
}

}  // namespace

void require_symmetric_int8(const Graph& graph) {
  for (const graph::NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    if (!is_quantizer(node)) continue;
    const std::string_view fault = fault_of(graph, node);
    if (fault.empty()) continue;
    fail(ErrorCode::unsupported,
         "node '{}' ({}) has {}: TensorRT takes symmetric int8 only, with zero point 0; write the "
         "file with 'yoloq quantize --target tensorrt'",
         name_or_output(node), node.op, fault);
  }
}

void require_float32_scales(const Graph& graph) {
  for (const graph::NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    const Tensor* scale = graph.constant(graph::input_or_empty(node, 1));
    if (!is_quantizer(node) || scale == nullptr || scale->dtype() == DType::f32) continue;
    fail(ErrorCode::unsupported,
         "node '{}' ({}) has a scale of {}: TensorRT 8 reads float32 scales only; write the file "
         "without --float-type fp16 and let 'yoloq build --float-type fp16' choose the float type",
         name_or_output(node), node.op, yoloq::name_of(scale->dtype()));
  }
}

Graph with_output_types(Graph graph) {
  const auto typed = [](const graph::Port& port) { return port.type.dtype != DType::undefined; };
  if (!std::ranges::all_of(graph.outputs, typed)) graph::infer_shapes(graph);
  return graph;
}

FloatType float_type_in(const Graph& graph) {
  int f32 = 0;
  int f16 = 0;
  int bf16 = 0;
  for (const graph::NodeId id : graph.nodes()) {
    if (graph[id].op != "Conv") continue;
    const DType type = float_dtype_of(graph, graph[id]);
    ++(type == DType::f16 ? f16 : type == DType::bf16 ? bf16 : f32);
  }
  if (f16 > f32 && f16 > bf16) return FloatType::f16;
  return bf16 > f32 ? FloatType::bf16 : FloatType::f32;
}

void require_float_type(const Graph& graph, FloatType wanted) {
  const FloatType found = float_type_in(graph);
  if (wanted == FloatType::f32 || wanted == found) return;
  fail(ErrorCode::unsupported,
       "{} was asked for, but TensorRT from 11 on computes in the types of the file, and this one "
       "is "
       "{}: write it with 'yoloq export --float-type fp16' or 'yoloq quantize --float-type fp16'",
       name_of(wanted), name_of(found));
}

}  // namespace yoloq::runtime::tensorrt
