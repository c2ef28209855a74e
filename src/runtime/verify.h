// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"
#include "runtime/engine.h"

/// @file
/// Is an engine right? An engine with integer kernels is compared with the literal execution of its
/// own graph (runtime/literal_float.h), both seen from the float model:
///
///     float model ──┬── SQNR ── literal execution of the quantized graph: what quantization costs
///                   └── SQNR ── engine: must cost no more

namespace yoloq::runtime {

/// Runs `engine` once and copies out every output.
std::vector<Tensor> run(Engine& engine, std::span<const Tensor> inputs);

/// Signal to quantization noise ratio in dB, 10 log10(sum r^2 / sum (r - a)^2); higher is closer,
/// infinity if all are equal. -infinity if an actual value is NaN or infinite.
///
/// @throws Error(bad_argument) if the numbers of values differ.
double sqnr_db(std::span<const float> reference, std::span<const float> actual);

/// One inference's inputs, one tensor per port.
using Inputs = std::vector<Tensor>;

/// SQNR of each output of `actual` against the same output of `reference`, signal and noise summed
/// over all `samples`.
///
/// @throws Error(bad_argument) if the outputs of the two differ in number, name order or shape.
std::vector<double> sqnr_db(Engine& reference, Engine& actual, std::span<const Inputs> samples);

/// One output of a verified engine.
struct OutputCheck {
  std::string name;
  double expected_db = 0;  ///< Literal execution against the float model.
  double engine_db = 0;    ///< The engine against the float model.
  double literal_db = 0;   ///< The engine against the literal execution.
  std::size_t values = 0;  ///< That were compared; 0: so many that chance plays no part.
};

struct VerifyOptions {
  /// How far below `expected_db` an engine may be, in dB: integer kernels multiply by 1 / scale
  /// where the file divides, so a few values round the other way.
  double slack_db = 1.0;
  /// Of few values, what chance moves the energy of their errors by is allowed on top: this many
  /// standard deviations. 400,000 values (YOLOv5n at 640, the coarsest head of four images): 0.1
  /// dB; 400 values (a tiny model at 64 pixels): 2.3 dB. Defects cost tens of dB.
  double deviations = 3.0;
  /// An engine this close to the float model is right, whatever the literal execution gives: where
  /// nothing is rounded that is infinite, and bf16 is not.
  double enough_db = 40.0;
  EngineOptions reference{.mode = Mode::latency};  ///< Float type is taken as f32.
};

/// What the check compares with.
struct Reference {
  const graph::Graph& quantized;        ///< What `engine` was compiled from.
  const graph::Graph* model = nullptr;  ///< The float model; without it, `quantized` with its
                                        ///< activations left unrounded.
};

/// Compares each output of `engine` with the literal execution.
///
/// @throws Error(bad_argument) without samples.
std::vector<OutputCheck> check_outputs(Engine& engine, const Reference& reference,
                                       std::span<const Inputs> samples,
                                       const VerifyOptions& options = {});

/// @throws Error(diverged) naming each output whose SQNR is below the literal execution's by more
///     than slack and chance allow, and below what is enough, with both figures; also naming one
///     for which the literal execution's is NaN or minus infinity, as nothing is below that.
void require_faithful(std::span<const OutputCheck> checks, const VerifyOptions& options = {});

}  // namespace yoloq::runtime
