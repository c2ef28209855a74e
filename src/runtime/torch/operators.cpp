// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/detail/operators.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "runtime/torch/tensors.h"

namespace yoloq::runtime::torch {

namespace {

using Outputs = std::vector<at::Tensor>;

const Tensor* known(const Call& call, std::size_t index) {
  return index < call.known.size() ? call.known[index] : nullptr;
}

/// A whole-number input: a constant, or what the run has computed.
std::vector<std::int64_t> integers(const Call& call, std::size_t index) {
  if (const Tensor* constant = known(call, index)) return constant->to_integers();
  return from_torch(call.inputs.at(index)).to_integers();
}

bool has_input(const Call& call, std::size_t index) {
  return !graph::input_or_empty(call.node, index).empty();
}

bool explicit_pads(const graph::Node& node) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  return mode == "NOTSET" || mode == "VALID";
}

/// Pads of two spatial dimensions, top left bottom right, the same on both sides.
bool even_pads(const Call& call) {
  const auto pads = call.node.integers("pads", {0, 0, 0, 0});
  return explicit_pads(call.node) && pads.size() == 4 && pads[0] == pads[2] && pads[1] == pads[3];
}

bool planar_conv(const Call& call) {
  const Tensor* weight = known(call, 1);
  const bool planar = weight == nullptr || weight->rank() == 4;
  return planar && even_pads(call);
}

Outputs conv(const Call& call) {
  const auto pads = call.node.integers("pads", {0, 0, 0, 0});
  const at::Tensor bias = call.inputs.size() > 2 ? call.inputs[2] : at::Tensor();
  return {at::conv2d(call.inputs[0], call.inputs[1], bias, call.node.integers("strides", {1, 1}),
                     at::IntArrayRef(pads.data(), 2), call.node.integers("dilations", {1, 1}),
                     call.node.integer("group", 1))};
}

Outputs batch_norm(const Call& call) {
  if (call.batch_statistics && call.batch_norm) {
    return {call.batch_norm({.input = call.inputs[0],
                             .gamma = call.inputs[1],
                             .beta = call.inputs[2],
                             .mean = call.inputs[3],
                             .variance = call.inputs[4],
                             .momentum = call.momentum,
                             .epsilon = call.node.real("epsilon", 1e-5f)})};
  }
  return {at::batch_norm(call.inputs[0], call.inputs[1], call.inputs[2], call.inputs[3],
                         call.inputs[4], call.batch_statistics, call.momentum,
                         call.node.real("epsilon", 1e-5f), true)};
}

bool inference_norm(const Call& call) {
  return call.node.integer("training_mode", 0) == 0 && call.node.outputs.size() == 1;
}

bool plain_pool(const Call& call) { return even_pads(call) && call.node.outputs.size() == 1; }

Outputs max_pool(const Call& call) {
  const auto pads = call.node.integers("pads", {0, 0, 0, 0});
  return {at::max_pool2d(call.inputs[0], call.node.integers("kernel_shape"),
                         call.node.integers("strides", {1, 1}), at::IntArrayRef(pads.data(), 2),
                         call.node.integers("dilations", {1, 1}),
                         call.node.integer("ceil_mode", 0) != 0)};
}

/// Factors of a Resize with constant scales, which are [1, 1, fH, fW].
std::vector<float> resize_factors(const Call& call) {
  const Tensor* scales = known(call, 2);
  if (scales == nullptr || scales->size() != 4) return {};
  return scales->to_floats();
}

/// Nearest by whole factors: all of ONNX's ways to place pixels that are listed here agree on it.
bool whole_nearest(const Call& call) {
  const graph::Node& node = call.node;
  if (node.text("mode", "nearest") != "nearest" || has_input(call, 3)) return false;
  const std::string place = node.text("coordinate_transformation_mode", "half_pixel");
  const std::string nearest = node.text("nearest_mode", "round_prefer_floor");
  const bool agree = (place == "asymmetric" && nearest == "floor") ||
                     (place == "half_pixel" && nearest.starts_with("round_prefer"));
  const auto factors = resize_factors(call);
  return agree && factors.size() == 4 && factors[0] == 1 && factors[1] == 1 &&
         std::ranges::all_of(factors, [](float f) { return f >= 1 && f == std::floor(f); });
}

Outputs resize(const Call& call) {
  const auto factors = resize_factors(call);
  const at::Tensor& x = call.inputs[0];
  return {at::upsample_nearest2d(x, {x.size(2) * static_cast<std::int64_t>(factors[2]),
                                     x.size(3) * static_cast<std::int64_t>(factors[3])})};
}

Outputs concat(const Call& call) { return {at::cat(call.inputs, call.node.integer("axis", 0))}; }

Outputs reshape(const Call& call) {
  std::vector<std::int64_t> shape = integers(call, 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) shape[i] = call.inputs[0].size(static_cast<std::int64_t>(i));
  }
  return {call.inputs[0].reshape(shape)};
}

bool zero_keeps(const Call& call) { return call.node.integer("allowzero", 0) == 0; }

Outputs transpose(const Call& call) {
  auto order = call.node.integers("perm");
  if (order.empty()) {
    for (std::int64_t i = call.inputs[0].dim(); i-- > 0;) order.push_back(i);
  }
  return {call.inputs[0].permute(order)};
}

bool forward_slice(const Call& call) {
  if (call.opset < 10 || known(call, 1) == nullptr || known(call, 2) == nullptr) return false;
  if (!has_input(call, 4)) return true;
  if (known(call, 4) == nullptr) return false;
  return std::ranges::all_of(known(call, 4)->to_integers(), [](auto step) { return step > 0; });
}

Outputs slice(const Call& call) {
  const auto starts = integers(call, 1);
  const auto ends = integers(call, 2);
  const auto axes = has_input(call, 3) ? integers(call, 3) : std::vector<std::int64_t>{};
  const auto steps = has_input(call, 4) ? integers(call, 4) : std::vector<std::int64_t>{};
  at::Tensor result = call.inputs[0];
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = axes.empty() ? static_cast<std::int64_t>(i) : axes[i];
    result = result.slice(axis, starts[i], ends[i], steps.empty() ? 1 : steps[i]);
  }
  return {result};
}

bool known_split(const Call& call) { return call.opset >= 13 && known(call, 1) != nullptr; }

Outputs split(const Call& call) {
  return call.inputs[0].split_with_sizes(integers(call, 1), call.node.integer("axis", 0));
}

/// Real and codes as ONNX defines them, rounding halves to even.
at::Tensor along(const Call& call, const at::Tensor& parameter) {
  if (parameter.numel() == 1) return parameter.reshape({});
  std::int64_t axis = call.node.integer("axis", 1);
  if (axis < 0) axis += call.inputs[0].dim();
  std::vector<std::int64_t> shape(static_cast<std::size_t>(call.inputs[0].dim()), 1);
  shape.at(static_cast<std::size_t>(axis)) = parameter.numel();
  return parameter.reshape(shape);
}

bool eight_bits(const Call& call) {
  const Tensor* zero = known(call, 2);
  const bool plain = call.node.integer("block_size", 0) == 0;
  return plain && zero != nullptr && (zero->dtype() == DType::i8 || zero->dtype() == DType::u8);
}

Outputs quantize_linear(const Call& call) {
  const at::Tensor& zero = call.inputs[2];
  const bool is_signed = zero.scalar_type() == at::kChar;
  at::Tensor codes = at::div(call.inputs[0], along(call, call.inputs[1])).round_();
  codes.add_(along(call, zero).to(codes.scalar_type()));
  return {codes.clamp_(is_signed ? -128 : 0, is_signed ? 127 : 255).to(zero.scalar_type())};
}

bool known_zero(const Call& call) {
  return !has_input(call, 2) || (known(call, 2) != nullptr && eight_bits(call));
}

Outputs dequantize_linear(const Call& call) {
  const at::Tensor scale = along(call, call.inputs[1]);
  at::Tensor real = call.inputs[0].to(scale.scalar_type());
  if (has_input(call, 2)) real = real - along(call, call.inputs[2]).to(scale.scalar_type());
  return {real * scale};
}

Outputs add(const Call& call) { return {at::add(call.inputs[0], call.inputs[1])}; }
Outputs subtract(const Call& call) { return {at::sub(call.inputs[0], call.inputs[1])}; }
Outputs multiply(const Call& call) { return {at::mul(call.inputs[0], call.inputs[1])}; }
Outputs divide(const Call& call) { return {at::div(call.inputs[0], call.inputs[1])}; }
Outputs power(const Call& call) { return {at::pow(call.inputs[0], call.inputs[1])}; }
Outputs sigmoid(const Call& call) { return {at::sigmoid(call.inputs[0])}; }
Outputs exponential(const Call& call) { return {at::exp(call.inputs[0])}; }
Outputs relu(const Call& call) { return {at::relu(call.inputs[0])}; }
Outputs hard_swish(const Call& call) { return {at::hardswish(call.inputs[0])}; }
Outputs identity(const Call& call) { return {call.inputs[0]}; }
Outputs leaky_relu(const Call& call) {
  return {at::leaky_relu(call.inputs[0], call.node.real("alpha", 0.01f))};
}

// In the order of their names.
constexpr Operator kOperators[] = {
    {"Add", add},
    {"BatchNormalization", batch_norm, inference_norm},
    {"Concat", concat},
    {"Conv", conv, planar_conv},
    {"DequantizeLinear", dequantize_linear, known_zero},
    {"Div", divide},
    {"Exp", exponential},
    {"HardSwish", hard_swish},
    {"Identity", identity},
    {"LeakyRelu", leaky_relu},
    {"MaxPool", max_pool, plain_pool},
    {"Mul", multiply},
    {"Pow", power},
    {"QuantizeLinear", quantize_linear, eight_bits},
    {"Relu", relu},
    {"Reshape", reshape, zero_keeps},
    {"Resize", resize, whole_nearest},
    {"Sigmoid", sigmoid},
    {"Slice", slice, forward_slice},
    {"Split", split, known_split},
    {"Sub", subtract},
    {"Transpose", transpose},
};
static_assert(std::ranges::is_sorted(kOperators, {}, &Operator::name));

}  // namespace

const Operator* find_operator(const Call& call) {
  if (!call.node.domain.empty() && call.node.domain != "ai.onnx") return nullptr;
  const auto row = std::ranges::lower_bound(kOperators, call.node.op, {}, &Operator::name);
  if (row == std::end(kOperators) || row->name != call.node.op) return nullptr;
  return row->covers == nullptr || row->covers(call) ? row : nullptr;
}

}  // namespace yoloq::runtime::torch
