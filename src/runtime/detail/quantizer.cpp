// SPDX-License-Identifier: Apache-2.0
#include "runtime/detail/quantizer.h"

namespace yoloq::runtime {

bool is_quantize(const graph::Node& node) {
  return node.domain.empty() && node.op == "QuantizeLinear";
}

bool is_dequantize(const graph::Node& node) {
  return node.domain.empty() && node.op == "DequantizeLinear";
}

DType code_type(const graph::Graph& graph, const graph::Node& quantize) {
  const std::string& zero_point = graph::input_or_empty(quantize, 2);
  if (!zero_point.empty()) return graph.type_of(zero_point).dtype;
  const auto asked = static_cast<DType>(quantize.integer("output_dtype", 0));
  return asked == DType::undefined ? DType::u8 : asked;
}

}  // namespace yoloq::runtime
