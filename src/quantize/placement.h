// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "quantize/layers.h"
#include "quantize/target.h"

namespace yoloq::quantize {

/// @throws Error(bad_argument) naming none, one, both.
Residual residual_named(std::string_view name);
std::string_view name_of(Residual residual);

/// One activation that gets a quantizer, and who reads it in quantized form.
struct Site {
  std::string tensor;               ///< Value name.
  std::vector<graph::Use> readers;  ///< The others go on reading the float value.
  std::string why;                  ///< "input of model.1.conv", "residual input of ...".
  std::string shares;  ///< Another site whose quantizer serves here too; empty: has its own.
};

struct PlacementOptions {
  Placement placement = Placement::conv_inputs;
  Residual residual = Residual::one;
};

/// The sites for the layers in `int8_layers`, in execution order of the values.
///
/// For Placement::conv_inputs and Placement::raised, before and after:
///
///     x ──▶ Conv ──▶ Sigmoid, Mul          x ─▶ Q ─▶ DQ ──▶ Conv(W ◀─ DQ ◀─ int8) ──▶ Sigmoid, Mul
///
/// never between Conv and SiLU, none on Sigmoid or Mul. A Concat is quantized once, behind it.
///
/// Source for residuals: NVIDIA TensorRT developer guide, "Explicit quantization", Q/DQ placement.
std::vector<Site> place(const graph::Graph& graph, std::span<const Layer> int8_layers,
                        const PlacementOptions& options);

/// What is known of the smallest value that a tensor can take, from the operators that compute it:
/// SiLU never goes below -0.27846 (at x = -1.27846), Sigmoid and ReLU not below 0; MaxPool, Resize
/// and Concat pass the bound on, Add sums the bounds of its inputs.
///
/// @returns std::nullopt if nothing is known.
std::optional<float> known_low(const graph::Graph& graph, std::string_view tensor);

}  // namespace yoloq::quantize
