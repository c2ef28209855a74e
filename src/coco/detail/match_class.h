// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "coco/detail/group.h"
#include "coco/detections.h"
#include "coco/match.h"

namespace yoloq::coco::detail {

/// Matches one class on all images. Reorders `entries` and `boxes`.
///
/// @param entries  the detections of the class, in the order of the file.
/// @param boxes    the boxes of the class, in the order of the file.
void match_class(std::span<Entry> entries, std::span<PlacedBox> boxes,
                 std::span<const Detection> detections, ClassMatches& result);

}  // namespace yoloq::coco::detail
