// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "detect/head.h"
#include "graph/graph.h"
#include "quantize/layers.h"
#include "vision/geometry.h"

/// @file
/// Model files of every kind, brought to one form:
///
///     .pt ──▶ checkpoint ──▶ fold, simplify ─┐
///     .ckpt ──▶ fold, simplify, quantize ────┤
///     .onnx ──▶ upgrade, simplify ───────────┴─▶ DetectionModel ─▶ quantize, compile, evaluate

namespace yoloq::pipeline {

/// Pixels, where neither the file nor the user says.
constexpr int kDefaultSide = 640;

struct ModelOptions {
  std::optional<vision::Size> size;   ///< Input size; absent: what the file says, else 640.
  std::optional<std::int64_t> batch;  ///< Absent: what the file says, else 1.
  detect::HeadHints hints;            ///< For what the file does not say.
  bool dynamic = false;  ///< Of a checkpoint: leave batch and size open in `graph`. An engine is
                         ///< compiled from the open graph then.
};

/// A detector that can be quantized, compiled and evaluated.
struct DetectionModel {
  std::string name;    ///< Of the file, without folder and extension.
  graph::Graph graph;  ///< Simplified; batch and size open where the file leaves them open.
  graph::Graph fixed;  ///< The same with the input [batch, 3, height, width].
  detect::Head head;   ///< Indices are those of both graphs' outputs.
  vision::Size size;   ///< Of the input, pixels.
  std::int64_t batch = 1;
  std::string hash;  ///< See hash_of_file().
};

/// Reads a checkpoint (.pt, .pth; .ckpt of training) or an ONNX file.
///
/// A file without QuantizeLinear is simplified; one with it is left as it is, so that the places
/// where it rounds stay where they are.
///
/// @throws Error(bad_argument) if the file's fixed size or batch is not the one asked for, if the
///     size is no multiple of the largest stride, or for an unknown extension; what the readers and
///     find_head() throw, with the path in front.
DetectionModel load_model(const std::filesystem::path& path, const ModelOptions& options = {});

/// The hash of a model file's bytes; of an ONNX file's external data, too.
///
/// @throws what reading such a file throws.
std::string hash_of_file(const std::filesystem::path& path);

/// `graph` with its first input fixed to [batch, 3, height, width] and shapes inferred.
graph::Graph with_input(const graph::Graph& graph, std::int64_t batch, vision::Size size);

/// True if some value passes through QuantizeLinear.
bool is_quantized(const graph::Graph& graph);

/// Convolutions in all, and those for which quantize::lint() finds nothing that keeps them from
/// int8.
struct LayerCount {
  int int8 = 0;
  int total = 0;
};
LayerCount count_layers(const graph::Graph& graph);

}  // namespace yoloq::pipeline
