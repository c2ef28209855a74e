// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>

#include "graph/graph.h"
#include "pipeline/model.h"
#include "pipeline/quantization.h"

namespace yoloq::pipeline {

/// verify_quantized(), or the result of doing it before, with the same models, images, runtime, CPU
/// and program. Only success is remembered: a failure is worth another look.
///
/// @param cache  folder of "<key>.verified" files; empty: none. A broken file counts as absent.
/// @throws as verify_quantized().
Verification verify_once(const DetectionModel& model, const graph::Graph& quantized,
                         std::span<const std::filesystem::path> images,
                         const std::filesystem::path& cache);

}  // namespace yoloq::pipeline
