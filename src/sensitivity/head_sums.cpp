// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/head_sums.h"

#include <algorithm>

#include "sensitivity/subject.h"

namespace yoloq::sensitivity {

namespace {

std::vector<double> sum_of(const std::vector<std::vector<double>>& images) {
  std::vector<double> sums(images.front().size(), 0);
  for (const auto& image : images) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += image[i];
  }
  return sums;
}

}  // namespace

std::vector<std::vector<double>> head_sums(const Subject& subject, const graph::Graph& base,
                                           std::span<const LayerCost> layers,
                                           const HeadOptions& options, const HeadFigures& figures) {
  std::vector<std::vector<double>> sums;
  const std::size_t images = subject.images.size();
  const std::size_t groups = (layers.size() + options.group - 1) / options.group;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t first = group * options.group;
    const auto chosen = layers.subspan(first, std::min(options.group, layers.size() - first));
    const Variants variants(
        base, variants_of(base, subject.plan, chosen),
        {.backend = subject.backend, .threads = options.threads, .base_outputs = true});
    const auto progress = [&](std::size_t done, std::size_t) {
      if (options.progress) options.progress(group * images + done, groups * images);
    };
    std::vector<std::vector<std::vector<double>>> found(chosen.size());
    for (auto& rows : found) rows.resize(images);
    variants.run(subject.images, subject.model.size, progress, [&](const VariantOutputs& outputs) {
      found[outputs.variant][outputs.item.index] = figures(outputs);
    });
    for (const auto& rows : found) sums.push_back(sum_of(rows));
  }
  return sums;
}

}  // namespace yoloq::sensitivity
