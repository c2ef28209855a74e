// SPDX-License-Identifier: Apache-2.0
#include "model/detail/emit_blocks.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "model/detail/emit_torch.h"

namespace yoloq::model::detail {

namespace {

constexpr std::int64_t kMaxExtent = 1 << 20;  // Channels or pixels of a value; more is damage.
constexpr std::int64_t kMaxGain = 1024;

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

void check_gain(const std::string& path, std::int64_t gain) {
  if (gain < 1 || gain > kMaxGain) refuse(path, fmt::format("a gain of {} is not usable", gain));
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
