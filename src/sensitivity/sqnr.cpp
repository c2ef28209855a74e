// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "core/error.h"
#include "sensitivity/methods.h"
#include "sensitivity/subject.h"
#include "sensitivity/variants.h"

namespace yoloq::sensitivity {

namespace {

/// Sums of squares at one head.
struct Energy {
  double signal = 0;
  double noise = 0;
};

Energy energy_of(std::span<const float> reference, std::span<const float> actual) {
  Energy energy;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double difference = static_cast<double>(reference[i]) - actual[i];
    energy.signal += static_cast<double>(reference[i]) * reference[i];
    energy.noise += difference * difference;
  }
  return energy;
}

/// -10 log10 of what no float32 tells apart: a layer that costs less is without error.
constexpr double kSilent_db = -150;

double noise_db(const Energy& energy) {
  if (!(energy.noise > 0) || !(energy.signal > 0)) return kSilent_db;
  return std::max(kSilent_db, 10 * std::log10(energy.noise / energy.signal));
}

/// The noise of each layer of `layers` in the mean over the heads, each head in dB.
void measure(const Subject& subject, const graph::Graph& base, const HeadOptions& options,
             const Progress& progress, std::span<LayerCost> layers) {
  const std::size_t heads = base.outputs.size();
  const Variants variants(base, variants_of(base, subject.plan, layers),
                          {.threads = options.threads, .base_outputs = true});
  // One place per image, summed in their order: the same bytes for any number of threads.
  std::vector<std::vector<std::vector<Energy>>> energies(
      layers.size(), std::vector<std::vector<Energy>>(subject.images.size()));
  variants.run(subject.images, subject.model.size, progress, [&](const VariantOutputs& found) {
    auto& place = energies[found.variant][found.item.index];
    for (std::size_t head = 0; head < heads; ++head) {
      place.push_back(energy_of(found.base[head].values, found.outputs[head].values));
    }
  });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<Energy> sums(heads);
    for (const auto& image : energies[i]) {
      for (std::size_t head = 0; head < heads; ++head) {
        sums[head].signal += image[head].signal;
        sums[head].noise += image[head].noise;
      }
    }
    Energy total{.signal = static_cast<double>(heads)};
    for (const Energy& sum : sums) total.noise += std::pow(10, noise_db(sum) / 10);
    layers[i].cost = noise_db(total);
  }
}

}  // namespace

Profile sqnr_profile(const Subject& subject, const HeadOptions& options) {
  Profile profile = empty_profile(subject, "sqnr", "dB");
  profile.layers = quantized_layers(subject);
  const graph::Graph base = base_graph_to_heads(subject);
  const std::span layers(profile.layers);
  const std::size_t images = subject.images.size();
  const std::size_t groups = (layers.size() + options.group - 1) / options.group;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t first = group * options.group;
    const auto progress = [&](std::size_t done, std::size_t) {
      if (options.progress) options.progress(group * images + done, groups * images);
    };
    measure(subject, base, options, progress,
            layers.subspan(first, std::min(options.group, layers.size() - first)));
  }
  put_most_sensitive_first(profile);
  return profile;
}

}  // namespace yoloq::sensitivity
