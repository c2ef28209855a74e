// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detector.h"

#include "core/error.h"
#include "onnx/model_file.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

bool is_model_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".pt" || extension == ".pth" || extension == ".onnx";
}

/// A graph without nodes that has an engine's inputs, outputs and metadata: what find_head() reads.
graph::Graph outline(const runtime::Engine& engine) {
  graph::Graph graph;
  for (const auto& port : engine.inputs())
    graph.inputs.push_back({port.name, {port.dtype, port.dims}});
  for (const auto& port : engine.outputs()) {
    graph.outputs.push_back({port.name, {port.dtype, port.dims}});
  }
  graph.metadata = engine.metadata();
  return graph;
}

int chosen(const graph::Dim& dim, std::optional<std::int64_t> wish, std::int64_t fallback) {
  return static_cast<int>(dim.known() ? dim.size : wish.value_or(fallback));
}

LoadedDetector load_compiled(const fs::path& path, const ModelOptions& options,
                             const runtime::EngineOptions& engine_options) {
  LoadedDetector loaded{.name = path.stem().string()};
  Detector& detector = loaded.detector;
  detector.engine = runtime::load(path, engine_options);
  loaded.model_bytes = fs::file_size(path);
  const graph::Dims& dims = detector.engine->inputs().front().dims;
  if (dims.size() != 4) fail(ErrorCode::unsupported, "'{}' takes no images", path.string());
  const auto side = [&](int vision::Size::*part) {
    return options.size ? std::optional<std::int64_t>((*options.size).*part) : std::nullopt;
  };
  detector.size = {.width = chosen(dims[3], side(&vision::Size::width), 640),
                   .height = chosen(dims[2], side(&vision::Size::height), 640)};
  detector.batch = chosen(dims[0], options.batch, 1);
  detector.fixed_batch = dims[0].known();
  detector.head = detect::find_head(outline(*detector.engine), options.hints);
  return loaded;
}

LoadedDetector load_and_compile(const fs::path& path, const ModelOptions& options,
                                const runtime::EngineOptions& engine_options) {
  LoadedDetector loaded{.name = path.stem().string(), .model = load_model(path, options)};
  const DetectionModel& model = *loaded.model;
  loaded.in_file = count_layers(model.fixed);
  loaded.model_bytes = onnx::serialize(model.fixed).size();
  loaded.detector = {.engine = runtime::compile(model.fixed, engine_options),
                     .head = model.head,
                     .size = model.size,
                     .batch = static_cast<int>(model.batch),
                     .fixed_batch = true};
  return loaded;
}

}  // namespace

std::string LoadedDetector::precision() const {
  if (layers.int8 > 0) return "int8";
  switch (float_type) {
    case runtime::FloatType::bf16:
      return "bf16";
    case runtime::FloatType::f16:
      return "fp16";
    default:
      return "fp32";
  }
}

LayerCount executed_layers(const runtime::Engine& engine) {
  LayerCount count;
  for (const runtime::LayerInfo& layer : engine.layers()) {
    if (layer.kind.find("Convolution") == std::string::npos) continue;
    ++count.total;
    count.int8 += runtime::is_int8(layer) ? 1 : 0;
  }
  return count;
}

LoadedDetector load_detector(const fs::path& path, const ModelOptions& model,
                             const runtime::EngineOptions& engine) {
  LoadedDetector loaded = is_model_file(path) ? load_and_compile(path, model, engine)
                                              : load_compiled(path, model, engine);
  loaded.layers = executed_layers(*loaded.detector.engine);
  loaded.float_type = engine.float_type;
  return loaded;
}

}  // namespace yoloq::pipeline
