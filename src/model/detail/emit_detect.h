// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/description.h"
#include "model/detail/builder.h"
#include "model/emit.h"

namespace yoloq::model::detail {

/// Writes the heads, and for Head::decoded the boxes, and declares the outputs of the graph.
///
/// @param inputs  one per head, in head order.
/// @throws Error(corrupt_file) if heads, strides, anchors and classes contradict each other.
void emit_detect(Builder& builder, const std::string& path, const Description& description,
                 const std::vector<Flow>& inputs, const EmitOptions& options);

}  // namespace yoloq::model::detail
