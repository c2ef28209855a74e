// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/detail/module_view.h"
#include "model/description.h"

namespace yoloq::checkpoint {

/// Translates one layer of a model.
///
/// @throws Error(unsupported) naming the class if it is not one that yoloq knows, and those it
/// knows;
///         Error(corrupt_file) naming the attribute or tensor that is missing or wrong.
model::Module read_module(const ModuleView& module);

/// The 1x1 convolutions of a detection head, "models.yolo.Detect".
model::Detect read_detect(const ModuleView& module);

}  // namespace yoloq::checkpoint
