// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/detail/module_view.h"
#include "model/description.h"

/// @file
/// PyTorch's own modules, each checked to be of the class that its place asks for.

namespace yoloq::checkpoint {

model::Conv2d read_conv2d(const ModuleView& module);
model::BatchNorm2d read_batch_norm(const ModuleView& module);
model::MaxPool2d read_max_pool(const ModuleView& module);
model::Upsample read_upsample(const ModuleView& module);

/// SiLU, Hardswish, LeakyReLU, ReLU, Identity; PyTorch's and Ultralytics' export-friendly ones.
model::Activation read_activation(const ModuleView& module);
bool is_activation(const ModuleView& module);

}  // namespace yoloq::checkpoint
