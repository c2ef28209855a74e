// SPDX-License-Identifier: Apache-2.0
#include "support/tiny_checkpoint.h"

#include <fmt/core.h>

#include <cstring>
#include <map>
#include <utility>

#include "core/file.h"
#include "core/half.h"
#include "support/pickle_writer.h"

namespace yoloq::test {

namespace {

using namespace model;  // NOLINT: this file speaks of nothing else.

using Fields = std::vector<std::pair<std::string, Pickled>>;

/// What an nn.Module holds.
struct State {
  std::string module;  ///< "torch.nn.modules.conv"
  std::string name;    ///< "Conv2d"
  Fields attributes = {};
  Fields parameters = {};
  Fields buffers = {};
  Fields modules = {};
};

State common(std::string name, Fields modules, Fields attributes = {}) {
  return {.module = "models.common",
          .name = std::move(name),
          .attributes = std::move(attributes),
          .modules = std::move(modules)};
}

Pickled integers(const Pair& pair) {
  return pickle_tuple({pickle_integer(pair[0]), pickle_integer(pair[1])});
}

Pickled strides_of(const Shape& shape) {
  std::vector<Pickled> result(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    result[axis] = pickle_integer(stride);
    stride *= shape[axis];
  }
  return pickle_tuple(result);
}

Pickled sizes_of(const Shape& shape) {
  std::vector<Pickled> result;
  for (const std::int64_t size : shape) result.push_back(pickle_integer(size));
  return pickle_tuple(result);
}

/// Turns modules into pickles and gathers their storages.
class Author {
 public:
  explicit Author(const CheckpointOptions& options) : options_(options) {}

  std::vector<std::pair<std::string, std::string>> storages() && { return std::move(storages_); }

  Pickled tensor(const Tensor& value) {
    const bool half = options_.dtype == DType::f16;
    const std::string key = fmt::format("{}", storages_.size());
    std::string bytes;
    for (const float number : value.to_floats()) {
      const std::uint16_t code = float_to_half(number);
      const void* source = half ? static_cast<const void*>(&code) : &number;
      bytes.append(static_cast<const char*>(source), half ? sizeof code : sizeof number);
    }
    storages_.emplace_back("archive/data/" + key, std::move(bytes));
    const auto count = static_cast<std::int64_t>(value.size());
    const Pickled storage = pickle_persistent(pickle_tuple(
        {pickle_text("storage"), pickle_global("torch", half ? "HalfStorage" : "FloatStorage"),
         pickle_text(key), pickle_text("cpu"), pickle_integer(count)}));
    return pickle_call(pickle_global("torch._utils", "_rebuild_tensor_v2"),
                       {storage, pickle_integer(0), sizes_of(value.shape()),
                        strides_of(value.shape()), pickle_boolean(false), pickle_ordered({})});
  }

  Pickled parameter(const Tensor& value) {
    return pickle_call(pickle_global("torch._utils", "_rebuild_parameter"),
                       {tensor(value), pickle_boolean(true), pickle_ordered({})});
  }

  static Pickled object(const State& state, const Fields& more = {}) {
    Fields all{{"training", pickle_boolean(false)},
               {"_parameters", pickle_ordered(state.parameters)},
               {"_buffers", pickle_ordered(state.buffers)},
               {"_modules", pickle_ordered(state.modules)}};
    all.insert(all.end(), state.attributes.begin(), state.attributes.end());
    all.insert(all.end(), more.begin(), more.end());
    return pickle_object(pickle_global(state.module, state.name), pickle_attributes(all));
  }

  State state(const Conv2d& conv) {
    const Shape& shape = conv.weight.shape();
    return {.module = "torch.nn.modules.conv",
            .name = "Conv2d",
            .attributes = {{"in_channels", pickle_integer(shape[1] * conv.groups)},
                           {"out_channels", pickle_integer(shape[0])},
                           {"kernel_size", integers({shape[2], shape[3]})},
                           {"stride", integers(conv.stride)},
                           {"padding", integers(conv.padding)},
                           {"dilation", integers(conv.dilation)},
                           {"groups", pickle_integer(conv.groups)},
                           {"padding_mode", pickle_text("zeros")}},
            .parameters = {{"weight", parameter(conv.weight)},
                           {"bias", conv.bias ? parameter(*conv.bias) : pickle_none()}}};
  }

  State state(const BatchNorm2d& norm) {
    // Python writes eps as the double that was typed, not as the float32 that it becomes.
    const double eps = norm.eps == 1e-3f ? 1e-3 : static_cast<double>(norm.eps);
    return {.module = "torch.nn.modules.batchnorm",
            .name = "BatchNorm2d",
            .attributes = {{"eps", pickle_real(eps)}, {"momentum", pickle_real(0.03)}},
            .parameters = {{"weight", parameter(norm.weight)}, {"bias", parameter(norm.bias)}},
            .buffers = {{"running_mean", tensor(norm.running_mean)},
                        {"running_var", tensor(norm.running_var)}}};
  }

  static State state(const MaxPool2d& pool) {
    return {.module = "torch.nn.modules.pooling",
            .name = "MaxPool2d",
            .attributes = {{"kernel_size", integers(pool.kernel_size)},
                           {"stride", integers(pool.stride)},
                           {"padding", integers(pool.padding)},
                           {"dilation", pickle_integer(1)},
                           {"ceil_mode", pickle_boolean(false)}}};
  }

  static State state(const Activation& act) {
    static const std::map<Activation::Kind, std::string> kNames{
        {Activation::Kind::silu, "SiLU"},
        {Activation::Kind::hardswish, "Hardswish"},
        {Activation::Kind::leaky_relu, "LeakyReLU"},
        {Activation::Kind::relu, "ReLU"},
        {Activation::Kind::identity, "Identity"}};
    const bool identity = act.kind == Activation::Kind::identity;
    return {.module = identity ? "torch.nn.modules.linear" : "torch.nn.modules.activation",
            .name = kNames.at(act.kind),
            .attributes = {{"negative_slope", pickle_real(act.slope)},
                           {"inplace", pickle_boolean(true)}}};
  }

  State state(const Conv& conv) {
    Fields modules{{"conv", written(conv.conv)}};
    if (conv.bn) modules.emplace_back("bn", written(*conv.bn));
    modules.emplace_back("act", written(conv.act));
    return common("Conv", std::move(modules));
  }

  State state(const Focus& focus) { return common("Focus", {{"conv", written(focus.conv)}}); }

  State state(const Bottleneck& block) {
    return common("Bottleneck", {{"cv1", written(block.cv1)}, {"cv2", written(block.cv2)}},
                  {{"add", pickle_boolean(block.add)}});
  }

  State state(const BottleneckCSP& block) {
    return common("BottleneckCSP", {{"cv1", written(block.cv1)},
                                    {"cv2", written(block.cv2)},
                                    {"cv3", written(block.cv3)},
                                    {"cv4", written(block.cv4)},
                                    {"bn", written(block.bn)},
                                    {"act", written(block.act)},
                                    {"m", sequence("Sequential", block.m)}});
  }

  State state(const C3& block) {
    return common("C3", {{"cv1", written(block.cv1)},
                         {"cv2", written(block.cv2)},
                         {"cv3", written(block.cv3)},
                         {"m", sequence("Sequential", block.m)}});
  }

  State state(const C3SPP& block) {
    return common("C3SPP", {{"cv1", written(block.cv1)},
                            {"cv2", written(block.cv2)},
                            {"cv3", written(block.cv3)},
                            {"m", written(block.m)}});
  }

  State state(const SPP& block) {
    return common("SPP", {{"cv1", written(block.cv1)},
                          {"cv2", written(block.cv2)},
                          {"m", sequence("ModuleList", block.m)}});
  }

  State state(const SPPF& block) {
    return common(
        "SPPF",
        {{"cv1", written(block.cv1)}, {"cv2", written(block.cv2)}, {"m", written(block.m)}});
  }

  static State state(const Concat& join) {
    return common("Concat", {}, {{"d", pickle_integer(join.d)}});
  }

  static State state(const Contract& block) {
    return common("Contract", {}, {{"gain", pickle_integer(block.gain)}});
  }

  static State state(const Expand& block) {
    return common("Expand", {}, {{"gain", pickle_integer(block.gain)}});
  }

  static State state(const Upsample& up) {
    const auto [down, right] = up.scale_factor;
    const Pickled scale =
        down == right ? pickle_real(down) : pickle_tuple({pickle_real(down), pickle_real(right)});
    return {
        .module = "torch.nn.modules.upsampling",
        .name = "Upsample",
        .attributes = {
            {"size", pickle_none()}, {"scale_factor", scale}, {"mode", pickle_text("nearest")}}};
  }

  State state(const Sequential& block) {
    Fields modules;
    for (const Module& module : block.modules) {
      modules.emplace_back(fmt::format("{}", modules.size()), object(state(module)));
    }
    return {.module = "torch.nn.modules.container", .name = "Sequential", .modules = modules};
  }

  State state(const Detect& head) {
    return {.module = "models.yolo",
            .name = "Detect",
            .modules = {{"m", sequence("ModuleList", head.m)}}};
  }

  State state(const Module& module) {
    return std::visit([&](const auto& kind) { return state(kind); }, module.kind);
  }

 private:
  template <typename Kind>
  Pickled written(const Kind& kind) {
    return object(state(kind));
  }

  template <typename Kind>
  Pickled sequence(const char* name, const std::vector<Kind>& kinds) {
    Fields modules;
    for (const Kind& kind : kinds) {
      modules.emplace_back(fmt::format("{}", modules.size()), written(kind));
    }
    return object(
        {.module = "torch.nn.modules.container", .name = name, .modules = std::move(modules)});
  }

  CheckpointOptions options_;
  std::vector<std::pair<std::string, std::string>> storages_;
};

/// What Detect knows beside its convolutions.
void add_info(Author& author, State& head, const ModelInfo& info, bool anchor_grid) {
  const auto heads = static_cast<std::int64_t>(info.anchors.size());
  const auto per_head = static_cast<std::int64_t>(info.anchors.front().size());
  std::vector<float> pixels;
  std::vector<float> cells;
  std::vector<float> strides(info.strides.begin(), info.strides.end());
  for (std::size_t i = 0; i < info.anchors.size(); ++i) {
    for (const Anchor& anchor : info.anchors[i]) {
      for (const float side : anchor) {
        pixels.push_back(side);
        cells.push_back(side / strides[i]);
      }
    }
  }
  head.attributes = {{"nc", pickle_integer(info.class_count)},
                     {"no", pickle_integer(info.class_count + 5)},
                     {"nl", pickle_integer(heads)},
                     {"na", pickle_integer(per_head)},
                     {"stride", author.tensor(Tensor::list(strides))}};
  head.buffers = {{"anchors", author.tensor(Tensor::of({heads, per_head, 2}, cells))}};
  if (!anchor_grid) return;
  head.buffers.emplace_back("anchor_grid",
                            author.tensor(Tensor::of({heads, 1, per_head, 1, 1, 2}, pixels)));
}

Pickled pickled_names(const std::vector<std::string>& names, bool as_list) {
  std::vector<Pickled> list;
  std::vector<std::pair<Pickled, Pickled>> dict;
  for (const std::string& name : names) {
    dict.emplace_back(pickle_integer(static_cast<std::int64_t>(list.size())), pickle_text(name));
    list.push_back(pickle_text(name));
  }
  return as_list ? pickle_list(list) : pickle_dict(dict);
}

Pickled pickled_model(Author& author, const Description& description,
                      const CheckpointOptions& options) {
  Fields layers;
  for (const Layer& layer : description.layers) {
    State state = author.state(layer.module);
    if (std::holds_alternative<Detect>(layer.module.kind)) {
      add_info(author, state, description.info, options.anchor_grid_buffer);
    }
    std::vector<Pickled> from;
    for (const int index : layer.from) from.push_back(pickle_integer(index));
    const std::string index = fmt::format("{}", layers.size());
    layers.emplace_back(
        index,
        Author::object(state, {{"i", pickle_integer(static_cast<std::int64_t>(layers.size()))},
                               {"f", from.size() == 1 ? from.front() : pickle_list(from)}}));
  }
  const Pickled sequence = Author::object(
      {.module = "torch.nn.modules.container", .name = "Sequential", .modules = std::move(layers)});
  return Author::object(
      {.module = "models.yolo",
       .name = options.names_as_list ? "Model" : "DetectionModel",
       .attributes = {{"names", pickled_names(description.info.names, options.names_as_list)}},
       .modules = {{"model", sequence}}});
}

}  // namespace

std::vector<std::pair<std::string, std::string>> checkpoint_entries(
    const Description& description, const CheckpointOptions& options) {
  Author author(options);
  Pickled value = pickled_model(author, description, options);
  if (!options.key.empty()) {
    value = pickle_attributes({{"epoch", pickle_integer(-1)},
                               {options.key == "ema" ? "model" : "ema", pickle_none()},
                               {options.key, value},
                               {"optimizer", pickle_none()}});
  }
  std::vector<std::pair<std::string, std::string>> entries{
      {"archive/data.pkl", pickle_document(value)}, {"archive/version", "3\n"}};
  for (auto& storage : std::move(author).storages()) entries.push_back(std::move(storage));
  return entries;
}

std::string checkpoint_bytes(const Description& description, const CheckpointOptions& options) {
  return zip_archive(checkpoint_entries(description, options), options.method);
}

void write_checkpoint(const Description& description, const std::filesystem::path& path,
                      const CheckpointOptions& options) {
  write_file(path, checkpoint_bytes(description, options));
}

}  // namespace yoloq::test
