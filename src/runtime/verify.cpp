// SPDX-License-Identifier: Apache-2.0
#include "runtime/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "runtime/literal_float.h"
#include "runtime/measure.h"

namespace yoloq::runtime {

namespace {

/// Sums of squares.
struct Energy {
  double signal = 0;
  double noise = 0;

  void add(std::span<const float> reference, std::span<const float> actual) {
    if (reference.size() != actual.size()) {
      fail(ErrorCode::bad_argument, "{} values cannot be compared with {}", actual.size(),
           reference.size());
    }
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double difference = static_cast<double>(reference[i]) - actual[i];
      signal += static_cast<double>(reference[i]) * reference[i];
      noise += difference * difference;
    }
  }

  double db() const {
    if (!std::isfinite(noise)) return -std::numeric_limits<double>::infinity();
    if (noise == 0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(signal / noise);
  }
};

std::vector<std::vector<float>> run_to_floats(Engine& engine, std::span<const Tensor> inputs) {
  std::vector<std::vector<float>> outputs;
  for (const Tensor& tensor : run(engine, inputs)) outputs.push_back(tensor.to_floats());
  return outputs;
}

std::vector<double> to_db(const std::vector<Energy>& energies) {
  std::vector<double> result;
  for (const Energy& energy : energies) result.push_back(energy.db());
  return result;
}

}  // namespace

std::vector<Tensor> run(Engine& engine, std::span<const Tensor> inputs) {
  const auto request = engine.make_request();
  fill(*request, inputs);
  request->run();
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < engine.outputs().size(); ++i) {
    const TensorView view = request->output(i);
    outputs.emplace_back(view.dtype, view.shape, view.bytes);
  }
  return outputs;
}

double sqnr_db(std::span<const float> reference, std::span<const float> actual) {
  Energy energy;
  energy.add(reference, actual);
  return energy.db();
}

std::vector<double> sqnr_db(Engine& reference, Engine& actual, std::span<const Inputs> samples) {
  const std::size_t count = reference.outputs().size();
  if (actual.outputs().size() != count) {
    fail(ErrorCode::bad_argument, "an engine with {} outputs cannot be compared with one with {}",
         actual.outputs().size(), count);
  }
  std::vector<Energy> energies(count);
  for (const Inputs& inputs : samples) {
    const auto expected = run_to_floats(reference, inputs);
    const auto got = run_to_floats(actual, inputs);
    for (std::size_t i = 0; i < count; ++i) energies[i].add(expected[i], got[i]);
  }
  return to_db(energies);
}

std::vector<OutputCheck> check_outputs(Engine& engine, const Reference& reference,
                                       std::span<const Inputs> samples,
                                       const VerifyOptions& options) {
  if (samples.empty()) fail(ErrorCode::bad_argument, "an engine is verified on one input at least");
  EngineOptions exact = options.reference;
  exact.float_type = FloatType::f32;
  const auto literal = compile(literal_float(reference.quantized), exact);
  const auto model =
      compile(reference.model != nullptr ? *reference.model
                                         : without_activation_rounding(reference.quantized),
              exact);
  const auto expected_db = sqnr_db(*model, *literal, samples);
  const auto engine_db = sqnr_db(*model, engine, samples);
  const auto literal_db = sqnr_db(*literal, engine, samples);
  std::vector<std::size_t> values;
  for (const Tensor& output : run(*literal, samples.front())) {
    values.push_back(output.size() * samples.size());
  }
  std::vector<OutputCheck> checks;
  for (std::size_t i = 0; i < expected_db.size(); ++i) {
    checks.push_back(
        {engine.outputs()[i].name, expected_db[i], engine_db[i], literal_db[i], values[i]});
  }
  return checks;
}

namespace {

/// Neighbours see nearly the same activations: of so many values one says something new.
constexpr double kValuesAlike = 10;

/// By how many dB the energy of `values` errors is off by chance. A sum of n squares of equal
/// variance has the relative standard deviation sqrt(2 / n).
double chance_db(std::size_t values, double deviations) {
  if (values == 0) return 0;
  const double independent = std::max(1.0, static_cast<double>(values) / kValuesAlike);
  return 10 * std::log10(1 + deviations * std::sqrt(2 / independent));
}

}  // namespace

void require_faithful(std::span<const OutputCheck> checks, const VerifyOptions& options) {
  for (const OutputCheck& check : checks) {
    if (check.expected_db > -std::numeric_limits<double>::infinity()) continue;  // False for NaN.
    fail(ErrorCode::diverged,
         "the output '{}' cannot be verified: computed literally, the file has an SQNR of {} dB "
         "against the float model; their values are NaN, infinite, or all 0 in the float model",
         check.name, check.expected_db);
  }
  std::string wrong;
  for (const OutputCheck& check : checks) {
    const double slack = options.slack_db + chance_db(check.values, options.deviations);
    if (check.engine_db >= std::min(options.enough_db, check.expected_db - slack)) continue;
    wrong += fmt::format("{}'{}': {:.1f} dB, {:.1f} dB expected", wrong.empty() ? "" : "; ",
                         check.name, check.engine_db, check.expected_db);
  }
  if (wrong.empty()) return;
  fail(ErrorCode::diverged,
       "the engine computes something else than its model says (SQNR against the float model: {}); "
       "the runtime has a defect there, keep the layers before it in float",
       wrong);
}

}  // namespace yoloq::runtime
