// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/tensor.h"
#include "graph/graph.h"
#include "quantize/plan.h"

/// @file
/// What training writes (.ckpt): an ONNX file of the float model whose metadata and further
/// constants hold the rest, so that every reader of ONNX can look at it.
///
///     metadata    yoloq.plan       the Plan, as YAML; only of quantization-aware training
///                 yoloq.training   what training says of itself, JSON
///     constants   yoloq.state/...  what training needs to go on

namespace yoloq::pipeline {

struct TrainingCheckpoint {
  graph::Graph model;  ///< Float, as it is deployed (moving averages); sizes open; with or without
                       ///< BatchNormalization.
  std::optional<quantize::Plan> plan;  ///< Scales of weights are those of `model` as it is.
  std::map<std::string, Tensor> state;
  std::string training;  ///< JSON.
};

std::string serialize(const TrainingCheckpoint& checkpoint);

/// @throws Error(corrupt_file) if it is no such file.
TrainingCheckpoint parse_training_checkpoint(std::string_view bytes);

/// As parse_training_checkpoint(), with the path in messages.
TrainingCheckpoint read_training_checkpoint(const std::filesystem::path& path);

/// The same without what training needs to go on, float32 constants rounded to float16: a quarter
/// of the bytes, to pass on. Reading it makes them float32 again.
///
/// Source: strip_optimizer() of Ultralytics' utils/general.py does the same to .pt files.
TrainingCheckpoint stripped(const TrainingCheckpoint& checkpoint);

/// The model to deploy: BatchNormalization folded, simplified, and with a plan its Q/DQ nodes.
///
/// Folding multiplies the weights of a channel by gamma / sqrt(var + eps), and so their scale by
/// its magnitude: the codes stay those that training has seen.
graph::Graph deployed(const TrainingCheckpoint& checkpoint);

/// The plan for `model`, which has BatchNormalization, from that of the same model with it folded:
/// what is quantized there by the plan has the same codes here, but for the signs of channels that
/// a negative gamma turns.
///
/// @throws Error(unsupported) if a weight in front of BatchNormalization has one scale alone.
quantize::Plan unfolded_plan(const graph::Graph& model, quantize::Plan plan);

/// The plan of deployed(), or none.
std::optional<quantize::Plan> deployed_plan(const TrainingCheckpoint& checkpoint);

}  // namespace yoloq::pipeline
