// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ops.h"

namespace yoloq::graph::detail {

/// What Resize and Upsample ask for, from their attributes and inputs of any version.
struct Resizing {
  std::vector<float> scales{};        ///< Per axis; empty where sizes are given.
  std::vector<std::int64_t> sizes{};  ///< Per axis; empty where scales are given.
};

/// The attribute of the first Upsample; empty in every other version.
std::vector<float> scales_attribute(const Node& node);

/// @throws Error(corrupt_file) if there are neither scales nor sizes.
Resizing resizing_of(const Call& call);

/// The input of Resize and Upsample that gives the scales, and the one of the sizes (0: none).
std::size_t scales_input(const Node& node, std::int64_t opset);
std::size_t sizes_input(const Node& node, std::int64_t opset);

/// Elements along an axis of `size` elements that is scaled: floor(size * scale).
std::int64_t scaled_size(std::int64_t size, float scale);

}  // namespace yoloq::graph::detail
