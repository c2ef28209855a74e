// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "coco/match.h"
#include "coco/metrics.h"

namespace yoloq::coco {

/// Turns verdicts into curves, classes and the twelve figures. Uses all threads; the result does
/// not depend on their number.
///
/// @param image_counts  how often each of Matches::image_ids counts, [I]: 0 leaves an image out, 2
///     takes it twice, so that a bootstrap draws counts and calls this again without matching.
///     Empty: each once.
///
/// Source: pycocotools 2.0.11, COCOeval.accumulate and summarize.
///
/// @throws Error(bad_argument) if there are counts, but not one for each image.
Metrics accumulate(const Matches& matches, std::span<const std::uint32_t> image_counts = {});

}  // namespace yoloq::coco
