// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/resample.h"

#include <random>

#include "coco/evaluate.h"

namespace yoloq::sensitivity {

std::vector<std::uint32_t> image_counts(std::size_t images, std::size_t index) {
  std::mt19937_64 random(index + 1);
  std::vector<std::uint32_t> counts(images, 0);
  for (std::size_t i = 0; i < images; ++i) ++counts[random() % images];
  return counts;
}

ApDraws ap_draws(std::span<const coco::Detection> detections, const pipeline::GroundTruth& truth,
                 std::size_t draws) {
  const coco::Matches matches =
      coco::match(truth.annotations, detections, {.image_ids = truth.image_ids});
  ApDraws result{.ap = coco::accumulate(matches)[coco::Figure::ap]};
  for (std::size_t draw = 0; draw < draws; ++draw) {
    const auto counts = image_counts(matches.image_ids.size(), draw);
    result.draws.push_back(coco::accumulate(matches, counts)[coco::Figure::ap]);
  }
  return result;
}

}  // namespace yoloq::sensitivity
