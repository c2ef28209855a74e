// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "model/description.h"
#include "model/emit.h"

/// @file
/// Ultralytics' YOLOv5 checkpoints (.pt, releases v5.0 to v7.0) without Python:
///
///     file ─▶ Archive ─▶ pickle::Document ─▶ ModuleView, Tensors ─▶ model::Description ─▶ Graph
///             (zip)      (data, no calls)    (by class name)
///
/// To add a module: a struct in model/description.h, a row in blocks.cpp, an overload in
/// model/emit_blocks.cpp. What is read and refused is listed in docs/reference/checkpoint.md.

namespace yoloq::checkpoint {

/// Reads a checkpoint: its `ema` if there is one, else its `model`, or the model itself where the
/// file holds nothing else. Weights become float32.
///
/// @throws Error(not_found, io) if the file cannot be read; Error(unsupported) naming the class or
///         format that is not YOLOv5's; Error(corrupt_file) naming the place that is damaged.
///         Nothing in the file is ever called.
model::Description read_model(const std::filesystem::path& path);

/// The same from the bytes of a file.
model::Description parse(std::string bytes);

/// Reads a checkpoint and writes it as a graph.
///
/// @throws as read_model and model::emit, with the path in front.
graph::Graph load_graph(const std::filesystem::path& path, const model::EmitOptions& options = {});

}  // namespace yoloq::checkpoint
