// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "quantize/plan.h"

namespace yoloq::quantize {

/// Takes one layer of a finished plan out of int8: its precision becomes that of the plan's float
/// part, its weight and its read of an activation are quantized no longer, and an activation that
/// nobody reads in quantized form any more goes. All other scales and codes stay as they are.
///
/// @param why  for the plan.
/// @throws Error(not_found) if the plan has no such layer.
void keep_float(Plan& plan, const std::string& layer, const std::string& why);

/// Drops what the plan says of how one layer is quantized: its weight, its read of an activation,
/// and an activation that nobody else reads. The layer keeps its precision.
void drop_quantizers_of(Plan& plan, const std::string& layer);

}  // namespace yoloq::quantize
