// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "runtime/engine.h"

namespace yoloq::cli {

/// The layers of an engine under the name that tables give it.
struct NamedLayers {
  std::string name;
  std::span<const runtime::LayerInfo> layers;
};

/// Prints how often each kind of layer stands in two engines. Reformats, quantizers and elementwise
/// kernels that stand alone are where time goes which no convolution accounts for.
nlohmann::ordered_json compare_kinds(const NamedLayers& a, const NamedLayers& b);

}  // namespace yoloq::cli
