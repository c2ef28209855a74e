// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/torch_modules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace yoloq::checkpoint {

using model::Activation;
using pickle::View;

namespace {

struct ActivationName {
  std::string_view class_name;
  Activation::Kind kind;
};

constexpr std::array<ActivationName, 8> kActivations{{
    {"torch.nn.modules.activation.SiLU", Activation::Kind::silu},
    {"torch.nn.modules.activation.Hardswish", Activation::Kind::hardswish},
    {"torch.nn.modules.activation.LeakyReLU", Activation::Kind::leaky_relu},
    {"torch.nn.modules.activation.ReLU", Activation::Kind::relu},
    {"torch.nn.modules.linear.Identity", Activation::Kind::identity},
    {"torch.nn.modules.container.Identity", Activation::Kind::identity},
    {"utils.activations.SiLU", Activation::Kind::silu},
    {"utils.activations.Hardswish", Activation::Kind::hardswish},
}};

const ActivationName* activation_of(const ModuleView& module) {
  const auto found =
      std::ranges::find(kActivations, module.class_name(), &ActivationName::class_name);
  return found == kActivations.end() ? nullptr : &*found;
}

void require_class(const ModuleView& module, std::string_view expected) {
  if (module.class_name() == expected) return;
  module.refuse(ErrorCode::unsupported, fmt::format("expected a {}", expected));
}

}  // namespace

model::Conv2d read_conv2d(const ModuleView& module) {
  require_class(module, "torch.nn.modules.conv.Conv2d");
  const auto mode = module.attribute("padding_mode").text().value_or("zeros");
  if (mode != "zeros") {
    module.refuse(ErrorCode::unsupported, fmt::format("padding with '{}' is not known", mode));
  }
  return {.weight = module.tensor("weight"),
          .bias = module.find_tensor("bias"),
          .stride = module.pair("stride"),
          .padding = module.pair("padding"),
          .dilation = module.pair("dilation"),
          .groups = module.integer("groups")};
}

model::BatchNorm2d read_batch_norm(const ModuleView& module) {
  require_class(module, "torch.nn.modules.batchnorm.BatchNorm2d");
  return {.weight = module.tensor("weight"),
          .bias = module.tensor("bias"),
          .running_mean = module.tensor("running_mean"),
          .running_var = module.tensor("running_var"),
          .eps = module.real("eps")};
}

model::MaxPool2d read_max_pool(const ModuleView& module) {
  require_class(module, "torch.nn.modules.pooling.MaxPool2d");
  if (module.flag("ceil_mode") || module.pair("dilation") != model::Pair{1, 1}) {
    module.refuse(ErrorCode::unsupported, "ceil_mode and dilation are not known");
  }
  return {.kernel_size = module.pair("kernel_size"),
          .stride = module.pair("stride"),
          .padding = module.pair("padding")};
}

model::Upsample read_upsample(const ModuleView& module) {
  require_class(module, "torch.nn.modules.upsampling.Upsample");
  if (module.attribute("mode").text() != "nearest") {
    module.refuse(ErrorCode::unsupported, fmt::format("its mode is {}, expected 'nearest'",
                                                      module.attribute("mode").describe()));
  }
  const View scale = module.attribute("scale_factor");
  if (const auto both = scale.real()) {
    return {.scale_factor = {static_cast<float>(*both), static_cast<float>(*both)}};
  }
  const auto down = scale.at(0).real();
  const auto right = scale.at(1).real();
  if (!down || !right) module.refuse(ErrorCode::unsupported, "it has no scale_factor");
  return {.scale_factor = {static_cast<float>(*down), static_cast<float>(*right)}};
}

bool is_activation(const ModuleView& module) { return activation_of(module) != nullptr; }

Activation read_activation(const ModuleView& module) {
  const ActivationName* found = activation_of(module);
  if (found == nullptr) {
    module.refuse(
        ErrorCode::unsupported,
        "this activation is not known; known: SiLU, Hardswish, LeakyReLU, ReLU, Identity");
  }
  Activation result{.kind = found->kind};
  if (result.kind == Activation::Kind::leaky_relu) result.slope = module.real("negative_slope");
  return result;
}

}  // namespace yoloq::checkpoint
