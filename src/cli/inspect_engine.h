// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "pipeline/detector.h"

namespace yoloq::cli {

/// Runs a detector a few times, so that the layers of an engine that was compiled with
/// EngineOptions::profile have times.
void run_some(const pipeline::LoadedDetector& loaded);

/// One object per layer: name, kind, precision, format, kernel, origins and, where it is known, its
/// time and part of the whole.
nlohmann::ordered_json executed_json(std::span<const runtime::LayerInfo> layers);

/// Prints what an engine executes: its layers with precision, format, kernel and, if it was
/// compiled with EngineOptions::profile, times over a few runs; what was not fused, and why to
/// care.
nlohmann::ordered_json show_engine(const pipeline::LoadedDetector& loaded, bool profile);

/// Prints the layers that two engines compute in another precision or with another kernel, and the
/// kinds of layers that one has more of.
nlohmann::ordered_json show_difference(const pipeline::LoadedDetector& a,
                                       const pipeline::LoadedDetector& b);

}  // namespace yoloq::cli
