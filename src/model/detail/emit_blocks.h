// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/description.h"
#include "model/detail/builder.h"

namespace yoloq::model::detail {

/// Writes one module that reads `inputs`; `path` is its place in the model ("model.2").
///
/// @throws Error(corrupt_file) naming the module whose tensors do not fit what it reads.
Flow emit_module(Builder& builder, const std::string& path, const Module& module,
                 const std::vector<Flow>& inputs);

}  // namespace yoloq::model::detail
