// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "runtime/engine.h"
#include "search/candidate.h"
#include "search/journal.h"
#include "sensitivity/labelled_images.h"

namespace yoloq::search {

/// What time is measured of.
enum class Objective {
  latency,     ///< One image on one thread, by processor time where the engine runs on it.
  throughput,  ///< All streams busy, by the clock.
};

/// @throws Error(bad_argument) naming latency, throughput.
Objective objective_named(std::string_view name);
std::string_view name_of(Objective objective);

struct LaboratoryOptions {
  std::string target = "tensorrt";
  std::string backend = "openvino";
  Objective objective = Objective::latency;
  std::filesystem::path cache;  ///< Of calibrations and tuned plans; not empty.
  int threads = 0;
  bool reduce_range = false;  ///< Of the weights of all candidates: see quantize::Options.
  Progress progress;          ///< Of whatever runs; may throw Error(cancelled) to end it.
};

/// Images by what they are for. None of `loss` is in `calibration`.
struct Images {
  std::vector<std::filesystem::path> calibration;  ///< To pick from.
  std::vector<std::filesystem::path> loss;
  sensitivity::LabelledImages search;  ///< AP; may hold images of the other two.
};

/// Makes candidates and measures them on real engines. Every answer is in the journal: asked again,
/// it costs nothing and is the same.
class Laboratory {
 public:
  /// @param model, images, journal  must outlive it.
  Laboratory(const pipeline::DetectionModel& model, const Images& images, Journal& journal,
             LaboratoryOptions options);

  /// Calibrates on all numbers of images at once; candidates then find it in the cache.
  void calibrate_ahead(const std::vector<std::size_t>& counts);

  double float_ap();
  double float_time();  ///< The default's is 1.

  /// Of the default, per image; what times are multiples of.
  double reference_ms();

  /// What the backend says of the default's engine, such as layers that it computes in float.
  std::vector<std::string> notices();

  double loss(const Candidate& candidate);
  double ap(const Candidate& candidate);
  double time(const Candidate& candidate);

  /// The layers of the model by what they gain for the time that they would cost in float, which is
  /// estimated from their multiply-accumulates: for the order of trials alone, times are measured.
  std::vector<std::string> layers_by_worth();

  pipeline::QuantizedModel make(const Candidate& candidate);

 private:
  pipeline::QuantizationOptions options_of(const Candidate& candidate);
  std::map<std::string, quantize::CalibratorChoice> tensor_calibrators(const Candidate& candidate);
  const graph::Graph& graph_of(const Candidate& candidate);
  double time_of(const graph::Graph& graph);
  const graph::Graph& reference();
  std::shared_ptr<runtime::Engine> compile(const graph::Graph& graph) const;

  const pipeline::DetectionModel& model_;
  const Images& images_;
  Journal& journal_;
  LaboratoryOptions options_;
  std::optional<std::pair<std::string, graph::Graph>> latest_;  ///< What graph_of() made last.
  std::optional<graph::Graph> reference_;  ///< The default, untuned: what times are relative to.
};

}  // namespace yoloq::search
