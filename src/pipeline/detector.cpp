// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detector.h"

#include <string_view>
#include <utility>

#include "core/error.h"
#include "onnx/model_file.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

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

bool is_open(const graph::Dims& dims) {
  return !dims[0].known() || !dims[2].known() || !dims[3].known();
}

/// What runs of an engine have for one of its sizes.
int chosen(const graph::Dim& dim, std::optional<std::int64_t> wish, std::int64_t fallback,
           std::string_view what) {
  if (!dim.known()) return static_cast<int>(wish.value_or(fallback));
  if (!wish || *wish == dim.size) return static_cast<int>(dim.size);
  fail(ErrorCode::bad_argument,
       "it is compiled for a {} of {}, not {}: build it anew, or with --dynamic", what, dim.size,
       *wish);
}

/// Size and batch of a detector whose engine may leave them open.
///
/// @param dims  of the engine's first input.
void choose_shape(Detector& detector, const graph::Dims& dims, const ModelOptions& options) {
  if (dims.size() != 4) fail(ErrorCode::unsupported, "it takes no images");
  const auto side = [&](int vision::Size::*part) {
    return options.size ? std::optional<std::int64_t>((*options.size).*part) : std::nullopt;
  };
  detector.size = {.width = chosen(dims[3], side(&vision::Size::width), kDefaultSide, "width"),
                   .height = chosen(dims[2], side(&vision::Size::height), kDefaultSide, "height")};
  detector.batch = chosen(dims[0], options.batch, 1, "batch");
  detector.fixed_batch = dims[0].known();
}

LoadedDetector load_compiled(const fs::path& path, const ModelOptions& options,
                             const runtime::EngineOptions& engine_options) {
  LoadedDetector loaded{.name = path.stem().string()};
  Detector& detector = loaded.detector;
  detector.engine = runtime::load(path, engine_options);
  loaded.model_bytes = fs::file_size(path);
  try {
    choose_shape(detector, detector.engine->inputs().front().dims, options);
  } catch (const Error& error) {
    throw error.within(path.string());
  }
  detector.head = detect::find_head(outline(*detector.engine), options.hints);
  return loaded;
}

/// The graph to compile: of known sizes unless open ones are asked for, as those run faster.
const graph::Graph& compiled_graph(const DetectionModel& model, Sizes sizes) {
  if (sizes == Sizes::fixed) return model.fixed;
  if (is_open(*model.graph.inputs.front().type.dims)) return model.graph;
  fail(ErrorCode::bad_argument,
       "'{}' has one batch and size: export it with --dynamic to keep them open", model.name);
}

LoadedDetector inspected(LoadedDetector loaded) {
  loaded.layers = executed_layers(*loaded.detector.engine);
  loaded.float_type = loaded.detector.engine->float_type();
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

bool is_model_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".pt" || extension == ".pth" || extension == ".ckpt" || extension == ".onnx";
}

LayerCount executed_layers(const runtime::Engine& engine) {
  LayerCount count;
  for (const runtime::LayerInfo& layer : engine.layers()) {
    count.total += layer.convolutions;
    count.int8 += runtime::is_int8(layer) ? layer.convolutions : 0;
  }
  return count;
}

LoadedDetector compile_detector(DetectionModel model, Sizes sizes,
                                const runtime::EngineOptions& engine) {
  const auto& shapes = engine.gpu.shapes;
  const graph::Graph& graph = compiled_graph(model, sizes);
  LoadedDetector loaded{.name = model.name};
  loaded.in_file = count_layers(model.fixed);
  loaded.model_bytes = onnx::serialize(graph).size();
  loaded.detector = {.engine = runtime::compile(graph, engine), .head = model.head};
  choose_shape(loaded.detector, *graph.inputs.front().type.dims,
               {.size = model.size, .batch = shapes ? shapes->best.front() : model.batch});
  loaded.model = std::move(model);
  return inspected(std::move(loaded));
}

LoadedDetector load_detector(const fs::path& path, const ModelOptions& model,
                             const runtime::EngineOptions& engine) {
  if (is_model_file(path)) {
    return compile_detector(load_model(path, model), model.dynamic ? Sizes::open : Sizes::fixed,
                            engine);
  }
  return inspected(load_compiled(path, model, engine));
}

}  // namespace yoloq::pipeline
