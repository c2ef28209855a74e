// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/ranges.h"
#include "graph/graph.h"
#include "quantize/layers.h"
#include "quantize/placement.h"
#include "quantize/plan.h"
#include "quantize/target.h"
#include "quantize/weights.h"

/// @file
/// From a float model and what was seen of its activations to a Plan.
///
///     Graph ─▶ settle() ─▶ Settings ─▶ observed_tensors() ─▶ [calibration] ─▶ make_plan() ─▶
///     apply()

namespace yoloq::quantize {

/// A user's wish for the layers that `pattern` means; later rules win.
struct PrecisionRule {
  std::string pattern;  ///< Name, glob or id: see matching_layers().
  Precision precision = Precision::fp32;
  std::string why;  ///< The option it came from, for the plan.
};

/// A calibrator with its setting.
struct CalibratorChoice {
  std::string name = "mse";
  double percentile = 99.99;  ///< Of the calibrator of that name.

  friend bool operator==(const CalibratorChoice&, const CalibratorChoice&) = default;
};

/// "mse", "percentile 99.99", ...
std::string name_of(const CalibratorChoice& calibrator);

struct Options {
  std::string target = "tensorrt";
  std::optional<Residual> residual;  ///< Absent: the target's.
  std::vector<PrecisionRule> rules;
  std::string calibrator = "mse";
  double percentile = 99.99;  ///< For the calibrator of that name, in percent.
  std::map<std::string, CalibratorChoice> tensor_calibrators;  ///< Of these tensors, instead.
  /// How many times more a value counts that was seen where there are objects. Objects fill a small
  /// part of an image and have the largest activations: an even count clips just those.
  int object_weight = 5;
  bool per_tensor_weights = false;
  WeightScale weight_scale = WeightScale::mse;
  /// Weight codes -64..64, which run in int8 also on CPUs without an 8-bit dot product; see
  /// kReducedTopCode.
  bool reduce_range = false;
  Precision float_type = Precision::fp32;  ///< Of what is not int8: fp32 or fp16.
};

/// What the options mean for one model.
struct Settings {
  Target target;
  std::vector<Layer> layers;
  std::vector<LayerPlan> precisions;  ///< One for each layer, same order.
  std::vector<Site> sites;
};

/// The residual mode that the options mean.
///
/// @throws Error(bad_argument) as target_named().
Residual residual_of(const Options& options);

/// Works out layers, their precisions and the places of quantizers.
///
/// @param model  BatchNormalization folded, nodes named: see transform/.
/// @throws Error(unsupported) if the model has no quantizable layer, Error(bad_argument) if a rule
///     names none, Error(bad_value) if a layer's parameters are not finite.
Settings settle(const graph::Graph& model, const Options& options);

/// The name under which the statistics of `tensor` at objects are kept.
std::string objects_of(std::string_view tensor);

/// The activations whose statistics make_plan() asks for, in execution order.
std::vector<std::string> observed_tensors(const Settings& settings);

/// The quantizer that a calibrator gives an activation of its own; see Site::shares.
///
/// @throws as make_plan().
Quantizer quantizer_by(const CalibratorChoice& calibrator, const graph::Graph& model,
                       const Settings& settings, const Options& options,
                       const calibrate::Ranges& ranges, const std::string& tensor);

/// Chooses every scale.
///
/// @throws Error(not_found) naming a tensor that `ranges` lacks, and what compute_range() throws.
Plan make_plan(const graph::Graph& model, const Settings& settings, const Options& options,
               const calibrate::Ranges& ranges);

}  // namespace yoloq::quantize
