// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "pipeline/detector.h"

namespace yoloq::cli {

/// Prints what an engine executes: its layers with precision, format, kernel and, if it was
/// compiled with EngineOptions::profile, times over a few runs; what was not fused, and why to
/// care.
nlohmann::ordered_json show_engine(const pipeline::LoadedDetector& loaded, bool profile);

/// Prints the layers that two engines compute in another precision or with another kernel, and the
/// kinds of layers that one has more of.
nlohmann::ordered_json show_difference(const pipeline::LoadedDetector& a,
                                       const pipeline::LoadedDetector& b);

}  // namespace yoloq::cli
