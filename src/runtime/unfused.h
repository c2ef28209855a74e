// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "runtime/engine.h"

namespace yoloq::runtime {

/// Why a layer that stands alone costs time which fusion would have saved, in one line; empty for
/// one that computes what the model asks for.
std::string_view why_unfused(const LayerInfo& layer);

/// How often each kind of layer occurs.
std::map<std::string, int> count_kinds(std::span<const LayerInfo> layers);

}  // namespace yoloq::runtime
