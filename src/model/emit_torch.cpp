// SPDX-License-Identifier: Apache-2.0
#include "model/detail/emit_torch.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace yoloq::model::detail {

namespace {

constexpr std::int64_t kMaxWindow = 1024;  // Kernel, stride, padding, dilation: beyond is damage.

bool within(const Pair& pair, std::int64_t low) {
  return std::ranges::all_of(pair, [&](auto v) { return v >= low && v <= kMaxWindow; });
}

/// A sliding window over height and width.
struct Window {
  Pair kernel;
  Pair stride;
  Pair padding;
  Pair dilation{1, 1};
};

std::optional<std::int64_t> slide(const std::string& path, std::optional<std::int64_t> size,
                                  const Window& window, std::size_t axis) {
  if (!size) return std::nullopt;
  const std::int64_t span = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
  const std::int64_t room = *size + 2 * window.padding[axis] - span;
  if (room < 0) refuse(path, fmt::format("its window of {} does not fit {} pixels", span, *size));
  return room / window.stride[axis] + 1;
}

Flow slide(const std::string& path, const Flow& x, const Window& window) {
  if (!within(window.kernel, 1) || !within(window.stride, 1) || !within(window.padding, 0) ||
      !within(window.dilation, 1)) {
    refuse(path, "kernel, stride, padding or dilation is out of range");
  }
  return {x.value, x.channels, slide(path, x.height, window, 0), slide(path, x.width, window, 1)};
}

std::vector<std::int64_t> list(const Pair& pair) { return {pair[0], pair[1]}; }

std::vector<std::int64_t> pads(const Pair& pair) { return {pair[0], pair[1], pair[0], pair[1]}; }

/// Adds a weight after checking its shape.
std::string parameter(Builder& builder, const std::string& name, const Tensor& value,
                      std::int64_t channels) {
  if (value.dtype() != DType::f32 || value.shape() != Shape{channels}) {
    refuse(name, fmt::format("it is {} {}, expected float32 [{}]", name_of(value.dtype()),
                             to_string(value.shape()), channels));
  }
  return builder.constant(name, value);
}

void check_weight(const std::string& path, const Conv2d& conv, const Flow& x) {
  const Shape& shape = conv.weight.shape();
  const bool sound = conv.weight.dtype() == DType::f32 && shape.size() == 4 && shape[0] > 0 &&
                     conv.groups > 0 && conv.groups <= shape[0] && shape[0] % conv.groups == 0;
  if (!sound) {
    refuse(path, fmt::format("weight is {} {} in {} groups, expected float32 [O, I, kH, kW]",
                             name_of(conv.weight.dtype()), to_string(shape), conv.groups));
  }
  if (x.channels % conv.groups != 0 || x.channels / conv.groups != shape[1]) {
    refuse(path, fmt::format("weight {} in {} groups does not fit the {} channels that it reads",
                             to_string(shape), conv.groups, x.channels));
  }
}

/// x * gate(x), the gate being its own node.
std::string gated(Builder& builder, const std::string& path, const std::string& x, Step gate) {
  gate.name = path + "/" + gate.op;
  gate.inputs = {x};
  return builder.add({"Mul", path + "/Mul", {x, builder.add(std::move(gate))}});
}

}  // namespace

void refuse(const std::string& path, const std::string& what) {
  fail(ErrorCode::corrupt_file, "module {}: {}", path, what);
}

Flow emit(Builder& builder, const std::string& path, const Conv2d& conv, const Flow& x) {
  check_weight(path, conv, x);
  const Shape& shape = conv.weight.shape();
  Flow result = slide(path, x, {{shape[2], shape[3]}, conv.stride, conv.padding, conv.dilation});
  result.channels = shape[0];

  std::vector<std::string> inputs{x.value, builder.constant(path + ".weight", conv.weight)};
  if (conv.bias) inputs.push_back(parameter(builder, path + ".bias", *conv.bias, shape[0]));
  result.value = builder.add({"Conv",
                              path,
                              std::move(inputs),
                              {{"kernel_shape", std::vector{shape[2], shape[3]}},
                               {"strides", list(conv.stride)},
                               {"pads", pads(conv.padding)},
                               {"dilations", list(conv.dilation)},
                               {"group", conv.groups}}});
  return result;
}

Flow emit(Builder& builder, const std::string& path, const BatchNorm2d& norm, const Flow& x) {
  std::vector<std::string> inputs{x.value};
  const auto add = [&](const char* key, const Tensor& value) {
    inputs.push_back(parameter(builder, path + "." + key, value, x.channels));
  };
  add("weight", norm.weight);
  add("bias", norm.bias);
  add("running_mean", norm.running_mean);
  add("running_var", norm.running_var);
  Flow result = x;
  result.value = builder.add({"BatchNormalization", path, inputs, {{"epsilon", norm.eps}}});
  return result;
}

Flow emit(Builder& builder, const std::string& path, const Activation& act, const Flow& x) {
  Flow result = x;
  switch (act.kind) {
    case Activation::Kind::identity:
      break;
    case Activation::Kind::relu:
      result.value = builder.add({"Relu", path, {x.value}});
      break;
    case Activation::Kind::leaky_relu:
      result.value = builder.add({"LeakyRelu", path, {x.value}, {{"alpha", act.slope}}});
      break;
    case Activation::Kind::silu:
      result.value = gated(builder, path, x.value, {"Sigmoid", {}, {}});
      break;
    case Activation::Kind::hardswish:
      if (builder.opset() >= 14) {
        result.value = builder.add({"HardSwish", path, {x.value}});
      } else {
        result.value = gated(builder, path, x.value,
                             {"HardSigmoid", {}, {}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}}});
      }
      break;
  }
  return result;
}

Flow emit(Builder& builder, const std::string& path, const MaxPool2d& pool, const Flow& x) {
  Flow result = slide(path, x, {pool.kernel_size, pool.stride, pool.padding});
  result.value = builder.add({"MaxPool",
                              path,
                              {x.value},
                              {{"kernel_shape", list(pool.kernel_size)},
                               {"strides", list(pool.stride)},
                               {"pads", pads(pool.padding)}}});
  return result;
}

Flow emit(Builder& builder, const std::string& path, const Upsample& module, const Flow& x) {
  const auto [down, right] = module.scale_factor;
  const auto sane = [](float scale) { return scale > 0.01f && scale <= 64; };
  if (!sane(down) || !sane(right)) refuse(path, "its scale factor is out of range");

  const auto scaled = [](std::optional<std::int64_t> size, float scale) {
    return size ? std::optional(
                      static_cast<std::int64_t>(std::floor(static_cast<float>(*size) * scale)))
                : std::nullopt;
  };
  const std::string scales =
      builder.constant(path + ".scales", Tensor::list<float>({1, 1, down, right}));
  return {builder.add({"Resize",
                       path,
                       {x.value, "", scales},
                       {{"mode", std::string("nearest")},
                        {"coordinate_transformation_mode", std::string("asymmetric")},
                        {"nearest_mode", std::string("floor")}}}),
          x.channels, scaled(x.height, down), scaled(x.width, right)};
}

}  // namespace yoloq::model::detail
