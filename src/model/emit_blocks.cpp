// SPDX-License-Identifier: Apache-2.0
#include "model/detail/emit_blocks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "core/error.h"

namespace yoloq::model::detail {

namespace {

constexpr std::int64_t kMaxExtent = 1 << 20;  // Channels or pixels of a value; more is damage.
constexpr std::int64_t kMaxWindow = 1024;  // Kernel, stride, padding, dilation: beyond is damage.

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  fail(ErrorCode::corrupt_file, "module {}: {}", path, what);
}

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

Flow concat(Builder& builder, const std::string& name, const std::vector<Flow>& parts) {
  Flow result{{}, 0, parts.front().height, parts.front().width};
  std::vector<std::string> values;
  for (const Flow& part : parts) {
    if (part.height != result.height || part.width != result.width) {
      refuse(name, fmt::format("'{}' and '{}' differ in size", values.front(), part.value));
    }
    result.channels += part.channels;
    values.push_back(part.value);
  }
  result.value = builder.add({"Concat", name, std::move(values), {{"axis", std::int64_t{1}}}});
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

/// x * gate(x), the gate being its own node.
std::string gated(Builder& builder, const std::string& path, const std::string& x, Step gate) {
  gate.name = path + "/" + gate.op;
  gate.inputs = {x};
  return builder.add({"Mul", path + "/Mul", {x, builder.add(std::move(gate))}});
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

Flow emit(Builder& builder, const std::string& path, const Conv& module, const Flow& x) {
  Flow result = emit(builder, path + ".conv", module.conv, x);
  if (module.bn) result = emit(builder, path + ".bn", *module.bn, result);
  return emit(builder, path + ".act", module.act, result);
}

Flow emit(Builder& builder, const std::string& path, const Focus& module, const Flow& x) {
  const auto numbers = [&](const char* key, std::int64_t row, std::int64_t column) {
    return builder.constant(path + "." + key, Tensor::list<std::int64_t>({row, column}));
  };
  constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int32_t>::max();
  const std::string ends = numbers("ends", kToTheEnd, kToTheEnd);
  const std::string axes = numbers("axes", 2, 3);
  const std::string steps = numbers("steps", 2, 2);

  const auto half = [](std::optional<std::int64_t> size, std::int64_t first) {
    return size ? std::optional((*size + 1 - first) / 2) : std::nullopt;
  };
  std::vector<Flow> parts;
  for (const auto& [row, column] : {Pair{0, 0}, Pair{1, 0}, Pair{0, 1}, Pair{1, 1}}) {
    const std::string starts = numbers("starts", row, column);
    parts.push_back({builder.add({"Slice", path + "/Slice", {x.value, starts, ends, axes, steps}}),
                     x.channels, half(x.height, row), half(x.width, column)});
  }
  return emit(builder, path + ".conv", module.conv, concat(builder, path + "/Concat", parts));
}

Flow emit(Builder& builder, const std::string& path, const Bottleneck& module, const Flow& x) {
  Flow result = emit(builder, path + ".cv1", module.cv1, x);
  result = emit(builder, path + ".cv2", module.cv2, result);
  if (!module.add) return result;
  if (std::tie(result.channels, result.height, result.width) !=
      std::tie(x.channels, x.height, x.width)) {
    refuse(path, "its shortcut adds values of different shapes");
  }
  result.value = builder.add({"Add", path + "/Add", {x.value, result.value}});
  return result;
}

Flow emit(Builder& builder, const std::string& path, const std::vector<Bottleneck>& chain, Flow x) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    x = emit(builder, fmt::format("{}.{}", path, i), chain[i], x);
  }
  return x;
}

Flow emit(Builder& builder, const std::string& path, const SPP& module, const Flow& x) {
  std::vector<Flow> parts{emit(builder, path + ".cv1", module.cv1, x)};
  for (std::size_t i = 0; i < module.m.size(); ++i) {
    parts.push_back(
        emit(builder, fmt::format("{}.m.{}", path, i), module.m[i], Flow(parts.front())));
  }
  return emit(builder, path + ".cv2", module.cv2, concat(builder, path + "/Concat", parts));
}

Flow emit(Builder& builder, const std::string& path, const SPPF& module, const Flow& x) {
  std::vector<Flow> parts{emit(builder, path + ".cv1", module.cv1, x)};
  for (int i = 0; i < 3; ++i) {
    parts.push_back(emit(builder, path + ".m/MaxPool", module.m, Flow(parts.back())));
  }
  return emit(builder, path + ".cv2", module.cv2, concat(builder, path + "/Concat", parts));
}

/// C3 and its variants, which differ in what `m` is.
template <typename C3Like>
Flow emit_c3(Builder& builder, const std::string& path, const C3Like& module, const Flow& x) {
  Flow inner = emit(builder, path + ".cv1", module.cv1, x);
  inner = emit(builder, path + ".m", module.m, inner);
  const Flow outer = emit(builder, path + ".cv2", module.cv2, x);
  return emit(builder, path + ".cv3", module.cv3,
              concat(builder, path + "/Concat", {inner, outer}));
}

Flow emit(Builder& builder, const std::string& path, const C3& module, const Flow& x) {
  return emit_c3(builder, path, module, x);
}

Flow emit(Builder& builder, const std::string& path, const C3SPP& module, const Flow& x) {
  return emit_c3(builder, path, module, x);
}

Flow emit(Builder& builder, const std::string& path, const BottleneckCSP& module, const Flow& x) {
  Flow inner = emit(builder, path + ".cv1", module.cv1, x);
  inner = emit(builder, path + ".m", module.m, inner);
  inner = emit(builder, path + ".cv3", module.cv3, inner);
  const Flow outer = emit(builder, path + ".cv2", module.cv2, x);
  Flow joined = concat(builder, path + "/Concat", {inner, outer});
  joined = emit(builder, path + ".bn", module.bn, joined);
  joined = emit(builder, path + ".act", module.act, joined);
  return emit(builder, path + ".cv4", module.cv4, joined);
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

void check_gain(const std::string& path, std::int64_t gain) {
  if (gain < 1 || gain > kMaxWindow) refuse(path, fmt::format("a gain of {} is not usable", gain));
}

Flow emit(Builder& builder, const std::string& path, const Contract& module, const Flow& x) {
  check_gain(path, module.gain);
  Flow result = x;
  result.channels = x.channels * module.gain * module.gain;
  for (std::optional<std::int64_t>* size : {&result.height, &result.width}) {
    if (!*size) continue;
    if (**size % module.gain != 0) refuse(path, fmt::format("{} pixels do not divide", **size));
    **size /= module.gain;
  }
  result.value = builder.add({"SpaceToDepth", path, {x.value}, {{"blocksize", module.gain}}});
  return result;
}

Flow emit(Builder& builder, const std::string& path, const Expand& module, const Flow& x) {
  check_gain(path, module.gain);
  const std::int64_t area = module.gain * module.gain;
  if (x.channels % area != 0) refuse(path, fmt::format("{} channels do not divide", x.channels));
  Flow result = x;
  result.channels /= area;
  if (result.height) *result.height *= module.gain;
  if (result.width) *result.width *= module.gain;
  result.value = builder.add({"DepthToSpace", path, {x.value}, {{"blocksize", module.gain}}});
  return result;
}

Flow emit(Builder&, const std::string& path, const Detect&, const Flow&) {
  refuse(path, "a detection head is expected at the end of the model, and only there");
}

Flow emit(Builder& builder, const std::string& path, const Sequential& module, Flow x) {
  for (std::size_t i = 0; i < module.modules.size(); ++i) {
    x = emit_module(builder, fmt::format("{}.{}", path, i), module.modules[i], {x});
  }
  return x;
}

/// One module of any kind.
Flow emit_any(Builder& builder, const std::string& path, const Module& module,
              const std::vector<Flow>& inputs) {
  if (const auto* join = std::get_if<Concat>(&module.kind)) {
    if (join->d != 1) refuse(path, fmt::format("it joins along axis {}, expected 1", join->d));
    return concat(builder, path, inputs);
  }
  if (inputs.size() != 1) {
    refuse(path, fmt::format("it reads {} values, expected one", inputs.size()));
  }
  return std::visit(
      [&]<typename Kind>(const Kind& kind) -> Flow {
        if constexpr (std::is_same_v<Kind, Concat>) {
          return inputs.front();  // Not reached: handled above.
        } else {
          return emit(builder, path, kind, inputs.front());
        }
      },
      module.kind);
}

}  // namespace

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

Flow emit_module(Builder& builder, const std::string& path, const Module& module,
                 const std::vector<Flow>& inputs) {
  Flow result = emit_any(builder, path, module, inputs);
  for (const std::optional<std::int64_t> extent :
       {std::optional(result.channels), result.height, result.width}) {
    if (extent.value_or(1) >= 1 && extent.value_or(1) <= kMaxExtent) continue;
    refuse(path, fmt::format("its output has {} channels or pixels", *extent));
  }
  return result;
}

}  // namespace yoloq::model::detail
