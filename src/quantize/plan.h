// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "quantize/scale.h"
#include "quantize/weights.h"

/// @file
/// A Plan says everything about how a float model becomes an 8-bit one. It is written as YAML that
/// is made to be read and edited; applying the same plan to the same model gives the same file.

namespace yoloq::quantize {

/// In what a layer computes.
enum class Precision { fp32, fp16, int8 };

/// @throws Error(bad_argument) naming fp32, fp16, int8.
Precision precision_named(std::string_view name);
std::string_view name_of(Precision precision);

/// The type of what stays float in a file.
///
/// @throws Error(bad_argument) naming fp32, fp16.
Precision float_type_named(std::string_view name);

/// One Conv.
struct LayerPlan {
  int id = 0;
  std::string name;
  Precision precision = Precision::int8;
  std::string why;  ///< "default", "--skip-layers model.24.*", ...

  friend bool operator==(const LayerPlan&, const LayerPlan&) = default;
};

/// One activation.
struct ActivationPlan {
  std::string tensor;
  bool on = true;  ///< Off: its readers get the float value.
  Quantizer quantizer;
  std::string why;
  std::vector<std::string> readers;  ///< "node name:input index", in execution order.

  friend bool operator==(const ActivationPlan&, const ActivationPlan&) = default;
};

/// One weight.
struct WeightPlan {
  std::string tensor;
  std::string layer;
  bool on = true;
  int axis = 0;                   ///< The output channels; -1: one scale for the whole tensor.
  int top_code = kTopCode;        ///< Codes are int8, -top_code..top_code, zero point 0.
  std::vector<float> scales;      ///< [O], or one.
  std::vector<float> bias_shift;  ///< [O]: added to the bias by bias correction; empty: none.
  std::optional<Tensor> codes;    ///< int8, the shape of the weight; absent: the nearest ones.
  std::string why;

  friend bool operator==(const WeightPlan&, const WeightPlan&) = default;
};

/// A node that computes in float32 in a file whose float part is float16.
struct Fp32Node {
  std::string name;  ///< Of the node; of its output if it has none.
  std::string why;   ///< "'y' may reach 70000; float16 ends at 65504", ...

  friend bool operator==(const Fp32Node&, const Fp32Node&) = default;
};

struct Plan {
  std::string target;
  Precision float_type = Precision::fp32;         ///< Of what is not int8: fp32 or fp16.
  std::map<std::string, std::string> provenance;  ///< Hashes, calibrator, image count, version.
  std::vector<LayerPlan> layers;
  std::vector<ActivationPlan> activations;
  std::vector<WeightPlan> weights;
  std::vector<Fp32Node> fp32_nodes;  ///< Exceptions from a float_type of fp16.

  /// How many layers compute in int8: those whose weight is quantized.
  int int8_layers() const;
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// YAML; numbers so that parse_plan gives back the same floats. Codes are too many for a text: of a
/// layer that has its own, it only says `codes: stored`; they travel apart, see stored_codes().
std::string to_yaml(const Plan& plan);

/// Codes by layer name.
using Codes = std::map<std::string, Tensor, std::less<>>;

/// The codes of the layers that have their own.
Codes stored_codes(const Plan& plan);

/// @throws Error(corrupt_file) with the line of what is missing, of another type or out of range;
///     also if a layer says `codes: stored` and `codes` lacks it, or is int8 without a weight,
///     or something is listed twice.
///
/// Rows of a layer that is not int8 are left out: its precision may have been edited alone.
Plan parse_plan(std::string_view yaml, const Codes& codes = {});

}  // namespace yoloq::quantize
