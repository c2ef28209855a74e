// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coco/detections.h"
#include "pipeline/ground_truth.h"

namespace yoloq::sensitivity {

/// AP on all images and on resamplings of them.
struct ApDraws {
  double ap = 0;              ///< 0 to 1.
  std::vector<double> draws;  ///< The same on as many images drawn with repetition.
};

/// How often each of `images` images is drawn, for draw number `index`: the same on every machine,
/// so that draws of several models are of the same images.
///
/// Source: Efron, "Bootstrap methods: another look at the jackknife" (1979).
std::vector<std::uint32_t> image_counts(std::size_t images, std::size_t index);

/// COCO evaluation over exactly the images of `truth`, matched once.
ApDraws ap_draws(std::span<const coco::Detection> detections, const pipeline::GroundTruth& truth,
                 std::size_t draws);

}  // namespace yoloq::sensitivity
