// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/describe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "checkpoint/detail/blocks.h"
#include "checkpoint/detail/module_view.h"
#include "checkpoint/detail/numpy.h"
#include "core/error.h"

namespace yoloq::checkpoint {

using model::Anchor;
using model::ModelInfo;
using pickle::View;

namespace {

constexpr std::size_t kMaxLayers = 1000;  // Real: 25 to 43.
constexpr std::int64_t kMaxClasses = 65536;
constexpr int kMaxWrappers = 4;

/// Modules around a model, and the submodule that is it.
struct Wrapper {
  std::string_view class_name;
  std::string_view member;
};
constexpr std::array<Wrapper, 4> kWrappers{{
    {"torch.nn.parallel.data_parallel.DataParallel", "module"},
    {"torch.nn.parallel.distributed.DistributedDataParallel", "module"},
    {"models.common.AutoShape", "model"},
    {"models.common.DetectMultiBackend", "model"},
}};

/// The value that holds the model: the checkpoint's `ema`, its `model`, or the checkpoint itself.
View find_model(const View& root) {
  if (!root.is_dict()) return root;
  for (const char* key : {"ema", "model"}) {
    const View found = root.get(key);
    if (!found.is_none() && !found.is_dict()) return found;
  }
  if (root.size() > 0 && Tensors::is_tensor(root.value(0))) {
    fail(ErrorCode::unsupported,
         "the file holds weights alone (a state_dict); save the whole model as train.py does: "
         "torch.save({{'model': model}}, path)");
  }
  fail(ErrorCode::unsupported,
       "the file holds {} with neither 'ema' nor 'model'; expected a checkpoint of YOLOv5's "
       "train.py",
       root.describe());
}

ModuleView find_detector(Reading& reading, const View& value) {
  ModuleView model(reading, value, "");
  for (int i = 0; i < kMaxWrappers; ++i) {
    const auto found = std::ranges::find(kWrappers, model.class_name(), &Wrapper::class_name);
    if (found == kWrappers.end()) break;
    model = model.child(found->member);
  }
  const std::string& name = model.class_name();
  if (name == "models.yolo.Model" || name == "models.yolo.DetectionModel") return model;
  model.refuse(ErrorCode::unsupported,
               "expected a detector of YOLOv5: models.yolo.Model or models.yolo.DetectionModel");
}

/// The layers that `module` reads, from its attribute 'f'.
std::vector<int> sources_of(const ModuleView& module) {
  const View from = module.attribute("f");
  const auto index = [&](const View& value) {
    const auto number = value.integer();
    const auto limit = static_cast<std::int64_t>(kMaxLayers);
    if (number && *number > -limit && *number < limit) return static_cast<int>(*number);
    module.refuse(ErrorCode::corrupt_file,
                  fmt::format("its 'f' is {}, expected indices of layers", from.describe()));
  };
  if (!from.is_sequence()) return {index(from)};
  if (from.size() > kMaxLayers) index(from);
  std::vector<int> result;
  for (std::size_t i = 0; i < from.size(); ++i) result.push_back(index(from.at(i)));
  return result;
}

bool is_utf8(std::string_view text) {
  std::size_t rest = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (rest > 0) {
      if ((byte & 0xC0) != 0x80) return false;
      --rest;
    } else if (byte >= 0x80) {
      rest = (byte & 0xE0) == 0xC0 ? 1 : (byte & 0xF0) == 0xE0 ? 2 : (byte & 0xF8) == 0xF0 ? 3 : 4;
      if (rest == 4) return false;
    }
  }
  return rest == 0;
}

std::string name_from(const View& value) {
  if (const auto text = value.text(); text && is_utf8(*text)) return std::string(*text);
  if (const auto number = value.integer()) return fmt::format("{}", *number);
  if (const auto number = value.real()) return fmt::format("{}", *number);
  fail(ErrorCode::corrupt_file, "a class name is {}, expected text", value.describe());
}

/// Class names from a list or a dict; from 0 upwards where the model has none.
std::vector<std::string> names_from(const View& names, int count) {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) result.push_back(fmt::format("{}", i));
  if (names.is_none()) return result;
  if (static_cast<int>(std::min<std::size_t>(names.size(), kMaxClasses + 1)) != count) {
    fail(ErrorCode::corrupt_file, "'names' is {}, but the head has {} classes", names.describe(),
         count);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool list = names.is_sequence();
    const std::int64_t id =
        list ? static_cast<std::int64_t>(i) : names.key(i).integer().value_or(-1);
    if (id < 0 || id >= count) {
      fail(ErrorCode::corrupt_file, "'names' has the key {}, expected 0 to {}",
           names.key(i).describe(), count - 1);
    }
    result[static_cast<std::size_t>(id)] = name_from(list ? names.at(i) : names.value(i));
  }
  return result;
}

std::vector<int> strides_from(const ModuleView& model, const ModuleView& head) {
  auto tensor = head.find_tensor("stride");
  if (!tensor) tensor = model.find_tensor("stride");
  if (!tensor) head.refuse(ErrorCode::corrupt_file, "it has no tensor 'stride'");
  std::vector<int> result;
  for (const float stride : tensor->to_floats()) {
    if (!(stride >= 1 && stride <= 4096) || stride != std::floor(stride)) {
      head.refuse(ErrorCode::corrupt_file,
                  fmt::format("a stride is {}, expected whole pixels", stride));
    }
    result.push_back(static_cast<int>(stride));
  }
  return result;
}

/// Anchors in pixels, [heads, anchors, 2]. v5.0's forward reads the buffer anchor_grid, which holds
/// them; later ones multiply the buffer anchors, which is in cells, with the stride.
std::vector<std::vector<Anchor>> anchors_from(const ModuleView& head,
                                              const std::vector<int>& strides) {
  const auto in_pixels = head.find_buffer("anchor_grid");
  const Tensor tensor = in_pixels ? *in_pixels : head.tensor("anchors");
  const std::vector<float> values = tensor.to_floats();
  const std::size_t heads = strides.size();
  const bool sound = tensor.rank() >= 3 && tensor.shape().back() == 2 && heads > 0 &&
                     tensor.shape().front() == static_cast<std::int64_t>(heads);
  if (!sound) {
    head.refuse(ErrorCode::corrupt_file,
                fmt::format("anchors of shape {} for {} heads", to_string(tensor.shape()), heads));
  }
  std::vector<std::vector<Anchor>> result(heads);
  const std::size_t per_head = values.size() / heads;
  for (std::size_t i = 0; i < heads; ++i) {
    const float scale = in_pixels ? 1.0f : static_cast<float>(strides[i]);
    for (std::size_t at = i * per_head; at < (i + 1) * per_head; at += 2) {
      const Anchor anchor{values[at] * scale, values[at + 1] * scale};
      if (!std::isfinite(anchor[0]) || !std::isfinite(anchor[1])) {
        head.refuse(ErrorCode::corrupt_file, "an anchor is not finite");
      }
      result[i].push_back(anchor);
    }
  }
  return result;
}

ModelInfo info_from(const ModuleView& model, const ModuleView& head) {
  const std::int64_t classes = head.integer("nc");
  if (classes < 1 || classes > kMaxClasses) {
    head.refuse(ErrorCode::corrupt_file, fmt::format("its 'nc' is {}", classes));
  }
  ModelInfo info;
  info.class_count = static_cast<int>(classes);
  info.names = names_from(model.attribute("names"), info.class_count);
  info.strides = strides_from(model, head);
  if (!info.strides.empty()) info.max_stride = std::ranges::max(info.strides);
  info.anchors = anchors_from(head, info.strides);
  info.task = "detect";
  return info;
}

void add_origin(ModelInfo& info, const View& root, const ModuleView& model) {
  const auto add = [&](const char* key, const View& value) {
    if (const auto text = value.text(); text && is_utf8(*text)) info.origin[key] = *text;
  };
  add("date", root.get("date"));
  add("version", root.get("version"));
  add("commit", root.get("git").get("commit"));
  add("architecture", model.attribute("yaml_file"));
}

}  // namespace

model::Description describe(const pickle::Document& document, StorageSource source) {
  const View root(document, document.root());
  Reading reading{.tensors = Tensors(std::move(source))};
  const ModuleView model = find_detector(reading, find_model(root));
  const std::vector<ModuleView> layers = model.child("model").children();
  if (layers.empty() || layers.size() > kMaxLayers) {
    model.refuse(ErrorCode::corrupt_file, fmt::format("it has {} layers", layers.size()));
  }

  model::Description result;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool last = i + 1 == layers.size();
    result.layers.push_back(
        {.from = sources_of(layers[i]),
         .module = last ? model::Module{read_detect(layers[i])} : read_module(layers[i])});
  }
  result.info = info_from(model, layers.back());
  add_origin(result.info, root, model);
  return result;
}

}  // namespace yoloq::checkpoint
