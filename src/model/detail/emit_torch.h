// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/description.h"
#include "model/detail/builder.h"

/// @file
/// PyTorch's own modules as nodes. `path` is the module's place in the model ("model.2.cv1.conv").
/// Each throws Error(corrupt_file) naming it if its tensors do not fit what it reads.

namespace yoloq::model::detail {

/// Throws Error(corrupt_file): "module model.2: ...".
[[noreturn]] void refuse(const std::string& path, const std::string& what);

Flow emit(Builder& builder, const std::string& path, const Conv2d& conv, const Flow& x);
Flow emit(Builder& builder, const std::string& path, const BatchNorm2d& norm, const Flow& x);
Flow emit(Builder& builder, const std::string& path, const Activation& act, const Flow& x);
Flow emit(Builder& builder, const std::string& path, const MaxPool2d& pool, const Flow& x);
Flow emit(Builder& builder, const std::string& path, const Upsample& module, const Flow& x);

}  // namespace yoloq::model::detail
