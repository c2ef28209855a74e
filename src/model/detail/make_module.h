// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "model/description.h"
#include "model/detail/architecture.h"
#include "model/detail/blank_blocks.h"

namespace yoloq::model::detail {

/// Factors of a whole yaml, worked out.
struct Gains {
  double depth = 1;
  double width = 1;
  std::int64_t head_channels = 0;  ///< anchors * (5 + classes): such a width is not scaled.
};

/// The module of one row, with blank weights: its channels scaled by the width, the row's number by
/// the depth. A number above one is repeats inside C3, C3x and BottleneckCSP, and an nn.Sequential
/// of any other module.
///
/// @param in  Channels that it reads.
/// @throws Error(unsupported) naming the row for a module that is not known or an argument that is
///         not known of it; Error(corrupt_file) for arguments of the wrong kind.
Module make_module(const Row& row, std::int64_t in, const Gains& gains, BlankBlocks& blocks);

}  // namespace yoloq::model::detail
