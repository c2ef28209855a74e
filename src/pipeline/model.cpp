// SPDX-License-Identifier: Apache-2.0
#include "pipeline/model.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "graph/shapes.h"
#include "model/emit.h"
#include "onnx/model_file.h"
#include "onnx/upgrade.h"
#include "pipeline/training_checkpoint.h"
#include "quantize/lint.h"
#include "transform/passes.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;
using graph::Dim;
using graph::Graph;
using graph::Node;

namespace {

constexpr std::int64_t kQuantizableOpset = 13;

Graph read_checkpoint(const fs::path& path, const ModelOptions& options) {
  const vision::Size size = options.size.value_or(vision::Size{kDefaultSide, kDefaultSide});
  model::EmitOptions emit{
      .batch = options.batch.value_or(1), .height = size.height, .width = size.width};
  if (options.dynamic) emit.batch = emit.height = emit.width = std::nullopt;
  return checkpoint::load_graph(path, emit);
}

Graph read_any(const fs::path& path, const ModelOptions& options) {
  const std::string extension = path.extension().string();
  if (extension == ".pt" || extension == ".pth") return read_checkpoint(path, options);
  if (extension == ".onnx") return onnx::read_model(path);
  if (extension == ".ckpt") return deployed(read_training_checkpoint(path));
  fail(ErrorCode::bad_argument,
       "'{}' is neither a checkpoint (.pt, .ckpt) nor an ONNX file (.onnx)", path.string());
}

/// The first input's dimensions, checked to be those of a batch of images.
const graph::Dims& image_dims(const Graph& graph) {
  if (!graph.inputs.empty()) {
    const auto& dims = graph.inputs.front().type.dims;
    if (dims && dims->size() == 4 && graph.inputs.front().type.dtype == DType::f32) return *dims;
  }
  fail(ErrorCode::unsupported, "the first input is not a batch of images [N, 3, H, W] in float32");
}

std::int64_t agreed(const Dim& file, std::optional<std::int64_t> wish, std::int64_t fallback,
                    std::string_view what) {
  if (!file.known()) return wish.value_or(fallback);
  if (!wish || *wish == file.size) return file.size;
  fail(ErrorCode::bad_argument,
       "the file is made for a {} of {}, not {}: export it anew, or with --dynamic", what,
       file.size, *wish);
}

void settle_input(DetectionModel& model, const ModelOptions& options) {
  const graph::Dims& dims = image_dims(model.graph);
  const auto height =
      options.size ? std::optional<std::int64_t>(options.size->height) : std::nullopt;
  const auto width = options.size ? std::optional<std::int64_t>(options.size->width) : std::nullopt;
  model.batch = agreed(dims[0], options.batch, 1, "batch");
  model.size = {.width = static_cast<int>(agreed(dims[3], width, kDefaultSide, "width")),
                .height = static_cast<int>(agreed(dims[2], height, kDefaultSide, "height"))};
}

DetectionModel load(const fs::path& path, const ModelOptions& options) {
  DetectionModel model{.name = path.stem().string(), .graph = read_any(path, options)};
  model.hash = hash_of_file(path);
  if (model.graph.opset() < kQuantizableOpset) onnx::upgrade_opset(model.graph, kQuantizableOpset);
  settle_input(model, options);
  if (!is_quantized(model.graph)) transform::simplify(model.graph);
  model.fixed = with_input(model.graph, model.batch, model.size);
  model.head = detect::find_head(model.fixed, options.hints);
  return model;
}

}  // namespace

DetectionModel load_model(const fs::path& path, const ModelOptions& options) {
  try {
    return load(path, options);
  } catch (const Error& error) {
    if (std::string_view(error.what()).find(path.string()) != std::string_view::npos) throw;
    throw error.within(path.string());
  }
}

std::string hash_of_file(const fs::path& path) {
  return path.extension() == ".onnx" ? onnx::hash_of_file(path) : hash_of(read_file(path));
}

Graph with_input(const Graph& graph, std::int64_t batch, vision::Size size) {
  Graph fixed = graph;
  fixed.inputs.front().type.dims = {Dim::fixed(batch), Dim::fixed(3), Dim::fixed(size.height),
                                    Dim::fixed(size.width)};
  for (graph::Port& output : fixed.outputs) output.type.dims.reset();
  fixed.value_types.clear();
  graph::infer_shapes(fixed);
  return fixed;
}

bool is_quantized(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [&](graph::NodeId id) {
    return graph[id].op == "QuantizeLinear" || graph[id].op == "DequantizeLinear";
  });
}

LayerCount count_layers(const Graph& graph) {
  const std::vector<quantize::LintRow> convolutions = quantize::lint(graph);
  const auto int8 = std::ranges::count_if(convolutions, &quantize::LintRow::int8);
  return {static_cast<int>(int8), static_cast<int>(convolutions.size())};
}

}  // namespace yoloq::pipeline
