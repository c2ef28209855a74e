// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>

#include "sensitivity/head_sums.h"
#include "sensitivity/methods.h"
#include "sensitivity/subject.h"

namespace yoloq::sensitivity {

namespace {

/// Below what float32 tells apart: a layer with less noise is without error.
constexpr double kSilentDb = -150;

double noise_db(double noise, double signal) {
  if (!(noise > 0) || !(signal > 0)) return kSilentDb;
  return std::max(kSilentDb, 10 * std::log10(noise / signal));
}

/// Signal and noise of each head, one after the other.
std::vector<double> energies(const VariantOutputs& found) {
  std::vector<double> figures;
  for (std::size_t head = 0; head < found.base.size(); ++head) {
    const auto reference = found.base[head].values;
    const auto actual = found.outputs[head].values;
    double signal = 0;
    double noise = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double difference = static_cast<double>(reference[i]) - actual[i];
      signal += static_cast<double>(reference[i]) * reference[i];
      noise += difference * difference;
    }
    figures.insert(figures.end(), {signal, noise});
  }
  return figures;
}

}  // namespace

Profile sqnr_profile(const Subject& subject, const HeadOptions& options) {
  Profile profile = empty_profile(subject, "sqnr", "dB");
  profile.layers = quantized_layers(subject);
  const graph::Graph base = base_graph_to_heads(subject.model);
  const auto sums = head_sums(subject, base, profile.layers, options, energies);
  for (std::size_t layer = 0; layer < sums.size(); ++layer) {
    double ratios = 0;
    for (std::size_t i = 0; i < sums[layer].size(); i += 2) {
      ratios += std::pow(10, noise_db(sums[layer][i + 1], sums[layer][i]) / 10);
    }
    profile.layers[layer].cost = noise_db(ratios, static_cast<double>(sums[layer].size()) / 2);
  }
  put_most_sensitive_first(profile);
  return profile;
}

}  // namespace yoloq::sensitivity
