// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "checkpoint/detail/torch_modules.h"
#include "core/error.h"

namespace yoloq::checkpoint {

using model::Module;

namespace {

constexpr std::string_view kSequential = "torch.nn.modules.container.Sequential";
constexpr std::string_view kModuleList = "torch.nn.modules.container.ModuleList";

/// The submodules of an nn.Sequential or nn.ModuleList, each read by `read`.
template <typename Read>
auto read_list(const ModuleView& module, Read read) {
  if (module.class_name() != kSequential && module.class_name() != kModuleList) {
    module.refuse(ErrorCode::unsupported, "expected a Sequential or ModuleList");
  }
  std::vector<decltype(read(module))> result;
  for (const ModuleView& child : module.children()) result.push_back(read(child));
  return result;
}

model::Conv read_conv(const ModuleView& module) {
  if (module.class_name() != "models.common.Conv" &&
      module.class_name() != "models.common.DWConv") {
    module.refuse(ErrorCode::unsupported, "expected a models.common.Conv");
  }
  const auto norm = module.find_child("bn");  // Not there once it was fused into conv.
  return {.conv = read_conv2d(module.child("conv")),
          .bn = norm ? std::optional(read_batch_norm(*norm)) : std::nullopt,
          .act = read_activation(module.child("act"))};
}

model::Bottleneck read_bottleneck(const ModuleView& module) {
  if (module.class_name() != "models.common.Bottleneck" &&
      module.class_name() != "models.common.CrossConv") {
    module.refuse(ErrorCode::unsupported, "expected a models.common.Bottleneck");
  }
  return {.cv1 = read_conv(module.child("cv1")),
          .cv2 = read_conv(module.child("cv2")),
          .add = module.flag("add")};
}

model::SPP read_spp(const ModuleView& module) {
  return {.cv1 = read_conv(module.child("cv1")),
          .cv2 = read_conv(module.child("cv2")),
          .m = read_list(module.child("m"), read_max_pool)};
}

/// C3 with whatever `read_m` makes of its `m`.
template <typename C3Like, typename ReadM>
C3Like read_c3_like(const ModuleView& module, ReadM read_m) {
  return {.cv1 = read_conv(module.child("cv1")),
          .cv2 = read_conv(module.child("cv2")),
          .cv3 = read_conv(module.child("cv3")),
          .m = read_m(module.child("m"))};
}

Module read_c3(const ModuleView& module) {
  return {read_c3_like<model::C3>(
      module, [](const ModuleView& m) { return read_list(m, read_bottleneck); })};
}

Module read_c3spp(const ModuleView& module) {
  return {read_c3_like<model::C3SPP>(module, read_spp)};
}

Module read_csp(const ModuleView& module) {
  return {model::BottleneckCSP{.cv1 = read_conv(module.child("cv1")),
                               .cv2 = read_conv2d(module.child("cv2")),
                               .cv3 = read_conv2d(module.child("cv3")),
                               .cv4 = read_conv(module.child("cv4")),
                               .bn = read_batch_norm(module.child("bn")),
                               .act = read_activation(module.child("act")),
                               .m = read_list(module.child("m"), read_bottleneck)}};
}

Module read_sppf(const ModuleView& module) {
  return {model::SPPF{.cv1 = read_conv(module.child("cv1")),
                      .cv2 = read_conv(module.child("cv2")),
                      .m = read_max_pool(module.child("m"))}};
}

/// Turns a function that reads one kind of module into one that reads any.
template <auto Read>
Module as_module(const ModuleView& module) {
  return {Read(module)};
}

struct Row {
  std::string_view class_name;
  Module (*read)(const ModuleView&);
};

/// Every class that may be a layer, besides activations, Sequential and Detect.
constexpr std::array<Row, 17> kRows{{
    {"models.common.Conv", as_module<read_conv>},
    {"models.common.DWConv", as_module<read_conv>},
    {"models.common.Focus",
     [](const ModuleView& m) { return Module{model::Focus{read_conv(m.child("conv"))}}; }},
    {"models.common.Bottleneck", as_module<read_bottleneck>},
    {"models.common.CrossConv", as_module<read_bottleneck>},
    {"models.common.BottleneckCSP", read_csp},
    {"models.common.C3", read_c3},
    {"models.common.C3x", read_c3},
    {"models.common.C3SPP", read_c3spp},
    {"models.common.SPP", as_module<read_spp>},
    {"models.common.SPPF", read_sppf},
    {"models.common.Concat",
     [](const ModuleView& m) { return Module{model::Concat{m.integer("d")}}; }},
    {"models.common.Contract",
     [](const ModuleView& m) { return Module{model::Contract{m.integer("gain")}}; }},
    {"models.common.Expand",
     [](const ModuleView& m) { return Module{model::Expand{m.integer("gain")}}; }},
    {"torch.nn.modules.conv.Conv2d", as_module<read_conv2d>},
    {"torch.nn.modules.batchnorm.BatchNorm2d", as_module<read_batch_norm>},
    {"torch.nn.modules.pooling.MaxPool2d", as_module<read_max_pool>},
}};

[[noreturn]] void refuse_class(const ModuleView& module) {
  std::string known;
  for (const Row& row : kRows) {
    fmt::format_to(std::back_inserter(known), "{}, ",
                   row.class_name.substr(row.class_name.rfind('.') + 1));
  }
  module.refuse(ErrorCode::unsupported,
                fmt::format("this class is not known; known: {}Upsample, Sequential, Detect and "
                            "activations",
                            known));
}

}  // namespace

Module read_module(const ModuleView& module) {
  const std::string& name = module.class_name();
  if (name == kSequential) return {model::Sequential{read_list(module, read_module)}};
  if (name == "torch.nn.modules.upsampling.Upsample") return {read_upsample(module)};
  if (is_activation(module)) return {read_activation(module)};
  const auto found = std::ranges::find(kRows, name, &Row::class_name);
  if (found == kRows.end()) refuse_class(module);
  return found->read(module);
}

model::Detect read_detect(const ModuleView& module) {
  if (module.class_name() != "models.yolo.Detect") {
    module.refuse(ErrorCode::unsupported,
                  "the last layer is not a detection head: expected a models.yolo.Detect");
  }
  return {read_list(module.child("m"), read_conv2d)};
}

}  // namespace yoloq::checkpoint
