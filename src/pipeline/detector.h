// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/evaluation.h"
#include "pipeline/model.h"
#include "runtime/engine.h"

namespace yoloq::pipeline {

/// A detector from a file of any kind, compiled, with what tables say of it.
struct LoadedDetector {
  std::string name;  ///< Of the file, without folder and extension.
  Detector detector;
  LayerCount layers;                    ///< As executed by the engine, if it can run here.
  std::optional<LayerCount> in_file;    ///< As the file asks; none for compiled-model files.
  std::uintmax_t model_bytes = 0;       ///< Of the ONNX form; of the file itself if compiled.
  std::optional<DetectionModel> model;  ///< None for compiled-model files.

  /// "int8" if any layer is, else the float type: "fp32", "bf16", "fp16".
  std::string precision() const;
  runtime::FloatType float_type = runtime::FloatType::f32;
};

/// True for a checkpoint or an ONNX file, by its name: what load_detector() compiles.
bool is_model_file(const std::filesystem::path& path);

/// Reads a checkpoint or an ONNX file and compiles it, or loads a compiled-model file (any other
/// extension).
LoadedDetector load_detector(const std::filesystem::path& path, const ModelOptions& model,
                             const runtime::EngineOptions& engine);

/// Which graph of a model is compiled.
enum class Sizes {
  fixed,  ///< DetectionModel::fixed, for which kernels are chosen that suit its shapes.
  open,   ///< DetectionModel::graph; batch and size are chosen when it runs.
};

/// Compiles a model that was read already.
///
/// @throws Error(bad_argument) if sizes are to stay open that the model fixes; as
///     runtime::compile().
LoadedDetector compile_detector(DetectionModel model, Sizes sizes,
                                const runtime::EngineOptions& engine);

/// The convolutions that an engine executes, and those of them in int8.
LayerCount executed_layers(const runtime::Engine& engine);

}  // namespace yoloq::pipeline
