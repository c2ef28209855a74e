// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sensitivity/methods.h"
#include "sensitivity/prediction_loss.h"
#include "sensitivity/subject.h"

namespace yoloq::sensitivity {

Profile fast_profile(const Subject& subject, const HeadOptions& options) {
  Profile profile = empty_profile(subject, "fast", "% of certainty and overlap");
  profile.layers = quantized_layers(subject);
  const graph::Graph base = base_graph_to_heads(subject.model);
  const std::span<LayerCost> layers(profile.layers);
  const std::size_t groups = (layers.size() + options.group - 1) / options.group;
  const std::size_t images = subject.images.size();
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t first = group * options.group;
    const auto chosen = layers.subspan(first, std::min(options.group, layers.size() - first));
    const auto progress = [&](std::size_t done, std::size_t) {
      if (options.progress) options.progress(group * images + done, groups * images);
    };
    const std::vector<double> losses = prediction_losses(
        subject.model, variants_of(base, subject.plan, chosen), subject.images,
        {.backend = subject.backend, .threads = options.threads, .progress = progress});
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i].cost = losses[i];
  }
  put_most_sensitive_first(profile);
  return profile;
}

}  // namespace yoloq::sensitivity
