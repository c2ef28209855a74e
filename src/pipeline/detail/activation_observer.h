// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/collector.h"
#include "graph/graph.h"
#include "pipeline/detail/object_map.h"
#include "runtime/engine.h"

/// @file
/// Looking at the inner activations of a float model while it runs:
///
///     observed_model() -> engine -> request.run() -> ActivationObserver::observe -> Ranges

namespace yoloq::pipeline::detail {

/// The convolutions behind which a model says where objects are.
struct ObjectHeads {
  std::vector<std::string> values;  ///< Their outputs, [N, A * (5 + classes), H, W] logits.
  std::int64_t classes = 0;
};

/// Where an observed tensor is found after a run.
enum class Source {
  input,          ///< In the first input of the request, [1, C, H, W].
  channels_last,  ///< In an output, [1, H, W, C]: as engines hold feature maps.
  plain,          ///< In an output, [1, C, ...].
};

/// A model of which nothing is computed but what is looked at.
struct ObservedModel {
  graph::Graph graph;  ///< Its outputs: the tensors that are no input, in order; then the heads.
  std::vector<std::string> tensors;
  std::vector<Source> sources;  ///< One for each tensor.
  std::size_t heads = 0;
  std::int64_t classes = 0;
  bool only_objectness = false;  ///< The heads are [N, A, H, W].
};

/// Of the heads only the rows of objectness are left where that can be: no more is asked of them.
ObservedModel observed_model(const graph::Graph& model, const std::vector<std::string>& tensors,
                             const ObjectHeads& heads);

/// Takes in what requests of an observed model computed. Thread-safe.
class ActivationObserver {
 public:
  /// @param model  must outlive the observer.
  explicit ActivationObserver(const ObservedModel& model);

  /// Takes in one image's activations, after a run of batch 1.
  ///
  /// @throws Error(bad_value) naming tensor and image if a value is NaN or infinite.
  void observe(runtime::Request& request, const std::string& image);

  /// The statistics of the tensors and, if objects were seen, of their values at objects.
  calibrate::Ranges finish() &&;

 private:
  struct Activation;

  std::vector<Activation> activations(runtime::Request& request) const;
  std::optional<ObjectMap> object_map(runtime::Request& request) const;
  void observe_objects(std::size_t tensor, const Activation& activation,
                       std::span<const std::uint32_t> places, const std::string& image);

  const ObservedModel& model_;
  std::size_t outputs_ = 0;  ///< Of the tensors.
  calibrate::Collector all_;
  calibrate::Collector objects_;
  std::atomic<bool> seen_objects_ = false;
};

}  // namespace yoloq::pipeline::detail
