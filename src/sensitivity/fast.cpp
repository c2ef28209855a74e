// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "core/error.h"
#include "sensitivity/detection_error.h"
#include "sensitivity/head_sums.h"
#include "sensitivity/methods.h"
#include "sensitivity/subject.h"

namespace yoloq::sensitivity {

namespace {

/// The levels whose convolutions end in the outputs of `base`, fine to coarse.
///
/// @throws Error(unsupported) if the head is of another kind.
std::vector<Level> levels_of(const pipeline::DetectionModel& model, const graph::Graph& base) {
  const auto& anchors = model.head.anchors;
  if (anchors.size() != base.outputs.size()) {
    fail(ErrorCode::unsupported,
         "'{}' has anchors for {} levels and {} convolutions at its head: 'fast' needs them to say "
         "what moved; give --anchors, or use --method sqnr",
         model.name, anchors.size(), base.outputs.size());
  }
  std::vector<Level> levels;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const auto shape = graph::fixed_shape(base.outputs[i].type.dims.value_or(graph::Dims{}));
    if (!shape || shape->size() != 4) {
      fail(ErrorCode::unsupported, "'{}' has a head of unknown shape: use --method sqnr",
           model.name);
    }
    levels.push_back(
        {.anchors = anchors[i],
         .stride = static_cast<double>(model.size.width) / static_cast<double>(shape->back()),
         .classes = model.head.class_count});
  }
  return levels;
}

}  // namespace

Profile fast_profile(const Subject& subject, const HeadOptions& options) {
  Profile profile = empty_profile(subject, "fast", "% of certainty and overlap");
  profile.layers = quantized_layers(subject);
  const graph::Graph base = base_graph_to_heads(subject);
  const std::vector<Level> levels = levels_of(subject.model, base);
  // Each image counts the same: one with few objects says as much of AP as a crowd.
  const auto figures = [&](const VariantOutputs& found) {
    double weight = 0;
    double moved = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const DetectionError error = detection_error(levels[i], found.base[i], found.outputs[i]);
      weight += error.weight;
      moved += error.box + error.score;
    }
    return weight > 0 ? std::vector<double>{1, moved / weight} : std::vector<double>{0, 0};
  };
  const auto sums = head_sums(subject, base, profile.layers, options, figures);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!(sums[i][0] > 0)) {
      fail(ErrorCode::bad_argument,
           "'{}' sees nothing in the {} images: take others, or use --method sqnr",
           subject.model.name, subject.images.size());
    }
    profile.layers[i].cost = 100 * sums[i][1] / sums[i][0];
  }
  put_most_sensitive_first(profile);
  return profile;
}

}  // namespace yoloq::sensitivity
