// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/avoid_saturation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/detail/quantizer.h"
#include "runtime/literal_float.h"

namespace yoloq::runtime::openvino {

using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

/// 255 * 128 = 32640 is below 2^15; 255 * 129 is not.
constexpr int kMostOfTwo = 128;

constexpr std::array<std::string_view, 4> kWeighted{"Conv", "ConvTranspose", "Gemm", "MatMul"};

bool is_weighted(const Node& node) {
  return node.domain.empty() && node.inputs.size() >= 2 &&
         std::ranges::find(kWeighted, node.op) != kWeighted.end();
}

/// The two codes furthest from 0 on each side of it.
bool two_can_saturate(std::span<const std::int8_t> codes) {
  int largest = 0;
  int second_largest = 0;
  int smallest = 0;
  int second_smallest = 0;
  for (const int code : codes) {
    if (code > largest) {
      second_largest = std::exchange(largest, code);
    } else {
      second_largest = std::max(second_largest, code);
    }
    if (code < smallest) {
      second_smallest = std::exchange(smallest, code);
    } else {
      second_smallest = std::min(second_smallest, code);
    }
  }
  return largest + second_largest > kMostOfTwo || smallest + second_smallest < -kMostOfTwo;
}

bool is_constant_or_absent(const Graph& graph, const std::string& name) {
  return name.empty() || graph.constant(name) != nullptr;
}

/// Codes as the file stores them; none if a constant is quantized only when the model is loaded.
const Tensor* stored_codes(const Graph& graph, const Node& dequantize) {
  return graph.constant(dequantize.inputs[0]);
}

bool is_quantized_constant(const Graph& graph, const Node& dequantize) {
  const auto quantize = graph.producer(dequantize.inputs[0]);
  return quantize && is_quantize(graph[*quantize]) &&
         graph.constant(graph[*quantize].inputs[0]) != nullptr &&
         graph.constant(graph[*quantize].inputs[1]) != nullptr &&
         is_constant_or_absent(graph, graph::input_or_empty(graph[*quantize], 2));
}

/// The DequantizeLinear that makes the weight of `layer`.
std::optional<NodeId> weight_of(const Graph& graph, const Node& layer) {
  const auto id = graph.producer(layer.inputs[1]);
  if (!id || !is_dequantize(graph[*id])) return std::nullopt;
  const Node& node = graph[*id];
  const bool known = graph.constant(node.inputs[1]) != nullptr &&
                     is_constant_or_absent(graph, graph::input_or_empty(node, 2));
  if (!known || node.integer("block_size", 0) != 0) return std::nullopt;
  if (stored_codes(graph, node) == nullptr && !is_quantized_constant(graph, node)) {
    return std::nullopt;
  }
  return id;
}

/// True unless no two codes of an output can saturate. Codes that are not int8 around 0 reach the
/// kernel in another form: nothing is known of them.
bool can_saturate(const Graph& graph, const Node& layer, const Node& dequantize) {
  const Tensor* codes = stored_codes(graph, dequantize);
  if (codes == nullptr || codes->dtype() != DType::i8) return true;
  const std::string& zero_point = graph::input_or_empty(dequantize, 2);
  if (!zero_point.empty()) {
    const auto zeros = graph.constant(zero_point)->to_integers();
    if (std::ranges::any_of(zeros, [](auto zero) { return zero != 0; })) return true;
  }
  const auto values = codes->values<std::int8_t>();
  if (values.empty()) return false;
  const bool per_output = layer.op == "Conv" && codes->rank() > 0;
  const auto outputs = per_output ? static_cast<std::size_t>(codes->shape()[0]) : 1;
  const std::size_t length = values.size() / outputs;
  for (std::size_t o = 0; o < outputs; ++o) {
    if (two_can_saturate(values.subspan(o * length, length))) return true;
  }
  return false;
}

}  // namespace

SaturationCount avoid_saturation(Graph& graph) {
  SaturationCount count;
  std::set<NodeId> chosen;
  for (const NodeId id : graph.nodes()) {
    const Node& layer = graph[id];
    if (!is_weighted(layer)) continue;
    const auto dequantize = weight_of(graph, layer);
    if (!dequantize) continue;
    ++count.quantized;
    if (!can_saturate(graph, layer, graph[*dequantize])) continue;
    ++count.in_float;
    chosen.insert(*dequantize);
  }
  const std::vector<NodeId> list(chosen.begin(), chosen.end());
  if (!list.empty()) graph = with_float_constants(std::move(graph), list);
  return count;
}

}  // namespace yoloq::runtime::openvino
