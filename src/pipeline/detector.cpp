// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detector.h"

#include <utility>

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

LoadedDetector inspected(LoadedDetector loaded, const runtime::EngineOptions& engine) {
  if (loaded.detector.engine->runnable()) loaded.layers = executed_layers(*loaded.detector.engine);
  loaded.float_type = engine.float_type;
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
    count.total += layer.convolutions;
    count.int8 += runtime::is_int8(layer) ? layer.convolutions : 0;
  }
  return count;
}

LoadedDetector compile_detector(DetectionModel model, const runtime::EngineOptions& engine) {
  const auto& shapes = engine.gpu.shapes;
  const graph::Graph& graph = shapes ? model.graph : model.fixed;
  LoadedDetector loaded{.name = model.name};
  loaded.in_file = count_layers(model.fixed);
  loaded.model_bytes = onnx::serialize(model.fixed).size();
  loaded.detector = {.engine = runtime::compile(graph, engine),
                     .head = model.head,
                     .size = model.size,
                     .batch = static_cast<int>(shapes ? shapes->best.front() : model.batch),
                     .fixed_batch = !shapes};
  loaded.model = std::move(model);
  return inspected(std::move(loaded), engine);
}

LoadedDetector load_detector(const fs::path& path, const ModelOptions& model,
                             const runtime::EngineOptions& engine) {
  if (is_model_file(path)) return compile_detector(load_model(path, model), engine);
  return inspected(load_compiled(path, model, engine), engine);
}

}  // namespace yoloq::pipeline
