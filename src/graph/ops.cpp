// SPDX-License-Identifier: Apache-2.0
#include "graph/ops.h"

#include <algorithm>

#include "core/error.h"
#include "core/half.h"
#include "graph/detail/arguments.h"
#include "graph/detail/kernels.h"
#include "graph/detail/rules.h"

namespace yoloq::graph {

namespace {

using namespace detail;

// In the order of their names: find_op() halves this list.
constexpr Op kOps[] = {
    {"Abs", same_type, detail::abs},
    {"Add", broadcast_type, add, add_elements},
    {"And", comparison_type, logical_and},
    {"ArgMax", arg_max_type, arg_max},
    {"AveragePool", pool_type, average_pool},
    {"BatchNormalization", same_type, batch_normalization},
    {"Cast", cast_type, cast, cast_elements, Halves::moved},
    {"Ceil", same_type, detail::ceil, same_elements},
    {"Clip", same_type, clip},
    {"Concat", concat_type, concat, concat_elements, Halves::moved},
    {"Constant", constant_type, constant, nullptr, Halves::moved},
    {"ConstantOfShape", constant_of_shape_type, constant_of_shape, nullptr, Halves::moved},
    {"Conv", conv_type, conv},
    {"DequantizeLinear", dequantize_type, dequantize_linear},
    {"Div", broadcast_type, divide, divide_elements},
    {"Dropout", dropout_type, identity, nullptr, Halves::moved},
    {"Elu", same_type, elu},
    {"Equal", comparison_type, equal, equal_elements},
    {"Erf", same_type, detail::erf},
    {"Exp", same_type, detail::exp},
    {"Expand", expand_type, expand, nullptr, Halves::moved},
    {"Flatten", flatten_type, flatten, nullptr, Halves::moved},
    {"Floor", same_type, detail::floor, same_elements},
    {"Gather", gather_type, gather, gather_elements, Halves::moved},
    {"Gemm", gemm_type, gemm},
    {"GlobalAveragePool", global_pool_type, global_average_pool},
    {"Greater", comparison_type, greater},
    {"GreaterOrEqual", comparison_type, greater_or_equal},
    {"HardSigmoid", same_type, hard_sigmoid},
    {"HardSwish", same_type, hard_swish},
    {"Identity", same_type, identity, same_elements, Halves::moved},
    {"LeakyRelu", same_type, leaky_relu},
    {"Less", comparison_type, less},
    {"LessOrEqual", comparison_type, less_or_equal},
    {"Log", same_type, detail::log},
    {"MatMul", matmul_type, matmul},
    {"Max", broadcast_type, maximum},
    {"MaxPool", pool_type, max_pool},
    {"Min", broadcast_type, minimum},
    {"Mod", broadcast_type, modulo},
    {"Mul", broadcast_type, multiply, multiply_elements},
    {"Neg", same_type, negate},
    {"NonZero", non_zero_type, non_zero},
    {"Not", same_type, logical_not},
    {"Or", comparison_type, logical_or},
    {"Pad", pad_type, pad, nullptr, Halves::moved},
    {"Pow", broadcast_type, power},
    {"QuantizeLinear", quantize_type, quantize_linear},
    {"Range", range_type, detail::range},
    {"Reciprocal", same_type, reciprocal},
    {"ReduceMax", reduce_type, reduce_max},
    {"ReduceMean", reduce_type, reduce_mean},
    {"ReduceMin", reduce_type, reduce_min},
    {"ReduceProd", reduce_type, reduce_prod},
    {"ReduceSum", reduce_type, reduce_sum},
    {"Relu", same_type, relu},
    {"Reshape", reshape_type, reshape, same_elements, Halves::moved},
    {"Resize", resize_type, resize, nullptr, Halves::moved},
    {"Round", same_type, detail::round, same_elements},
    {"ScatterND", same_type, scatter_nd, nullptr, Halves::moved},
    {"Shape", shape_type, shape, shape_elements, Halves::moved},
    {"Sigmoid", same_type, sigmoid},
    {"Size", size_type, detail::size, nullptr, Halves::moved},
    {"Slice", slice_type, slice, slice_elements, Halves::moved},
    {"Softmax", same_type, softmax},
    {"Softplus", same_type, softplus},
    {"Split", split_type, split, nullptr, Halves::moved},
    {"Sqrt", same_type, detail::sqrt},
    {"Squeeze", squeeze_type, squeeze, same_elements, Halves::moved},
    {"Sub", broadcast_type, subtract, subtract_elements},
    {"Tanh", same_type, detail::tanh},
    {"Tile", tile_type, tile, nullptr, Halves::moved},
    {"Transpose", transpose_type, transpose, nullptr, Halves::moved},
    {"Unsqueeze", unsqueeze_type, unsqueeze, same_elements, Halves::moved},
    {"Upsample", resize_type, resize, nullptr, Halves::moved},
    {"Where", where_type, where, where_elements, Halves::moved},
};

static_assert(std::ranges::is_sorted(kOps, {}, &Op::name));

bool is_half(const Tensor* tensor) { return tensor != nullptr && tensor->dtype() == DType::f16; }

/// Bytes other than 0 and 1 are no bool in C++, whatever a file holds.
void require_sound_bools(const Call& call) {
  for (const Tensor* tensor : call.inputs) {
    if (tensor == nullptr || tensor->dtype() != DType::boolean) continue;
    for (const std::byte value : tensor->bytes()) {
      if (value > std::byte{1}) contradict(call.node, "a bool is neither true nor false");
    }
  }
}

}  // namespace

std::span<const Op> ops() { return kOps; }

const Op* find_op(const Node& node) {
  if (!node.domain.empty() && node.domain != "ai.onnx") return nullptr;
  const auto row = std::ranges::lower_bound(kOps, node.op, {}, &Op::name);
  return row != std::end(kOps) && row->name == node.op ? row : nullptr;
}

std::vector<Tensor> compute(const Op& op, const Call& call) {
  require_sound_bools(call);
  const bool widened = op.halves == Halves::widened && std::ranges::any_of(call.inputs, is_half);
  if (!widened) return op.compute(call);

  std::vector<Tensor> wide(call.inputs.size());
  Call wide_call{call.node, call.opset, call.inputs};
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (!is_half(call.inputs[i])) continue;
    wide[i] = Tensor::of<float>(call.inputs[i]->shape(), call.inputs[i]->to_floats());
    wide_call.inputs[i] = &wide[i];
  }
  std::vector<Tensor> outputs = op.compute(wide_call);
  for (Tensor& output : outputs) {
    if (output.dtype() != DType::f32) continue;
    std::vector<std::uint16_t> codes;
    for (const float value : output.values<float>()) codes.push_back(float_to_half(value));
    output = Tensor(DType::f16, output.shape(), std::as_bytes(std::span(codes)));
  }
  return outputs;
}

}  // namespace yoloq::graph
