// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/description.h"
#include "model/detail/architecture.h"

namespace yoloq::model::detail {

using AnchorLists = std::vector<std::vector<Anchor>>;  ///< Per head.

/// The anchors that were `given`, else those of the yaml: as many for each head.
///
/// @throws Error(unsupported) if the yaml has only their number, or none;
///         Error(corrupt_file) for lists that are no widths and heights;
///         Error(bad_argument) if one that was given is not above 0.
AnchorLists anchors_from(const Architecture& yaml, const AnchorLists& given);

/// Turns the anchors round if they fall where strides rise.
///
/// Source: Ultralytics YOLOv5 v7.0, utils/autoanchor.py, check_anchor_order.
void order_anchors(ModelInfo& info);

}  // namespace yoloq::model::detail
