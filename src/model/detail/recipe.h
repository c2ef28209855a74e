// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "model/description.h"
#include "model/detail/blank_blocks.h"
#include "model/detail/module_arguments.h"

namespace yoloq::model::detail {

/// What a row's module is made from.
struct Recipe {
  ModuleArguments arguments;
  std::int64_t in = 0;
  std::int64_t out = 0;      ///< The first argument, scaled; 0 where that is no width.
  std::int64_t repeats = 1;  ///< Of the module's inside.
  BlankBlocks* blocks;
};

/// PyTorch's own modules from their rows; the others stand in make_module.cpp.
Module make_upsample(const Recipe& recipe);
/// In PyTorch's order: (in, out, kernel, stride, padding, dilation, groups, bias).
Module make_conv2d(const Recipe& recipe);
/// Of the channels that it reads, whatever its arguments say, as in Ultralytics.
Module make_batch_norm(const Recipe& recipe);
Module make_max_pool(const Recipe& recipe);
/// A layer that is only an activation, given by its name and perhaps its slope.
Module make_activation(const Recipe& recipe);

}  // namespace yoloq::model::detail
