// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace yoloq::train::detail {

/// What the loss reads of a head. float32, with gradients.
struct HeadReading {
  at::Tensor objectness;  ///< [N, na, H, W]
  at::Tensor rows;  ///< [n, 5 + nc]: x, y, w, h, objectness and classes of each cell asked for.
};

/// Reads a head, [N, na * (5 + nc), H, W], at `cells`, [n] indices into [N, na, H, W] on its
/// device. A cell may come several times; its gradients add up.
///
/// Going back, the head's gradient is written once: indexing and slicing would each fill a whole
/// head with zeros and add the two, most of the time of a loss with 80 classes.
HeadReading read_head(const at::Tensor& head, std::int64_t anchors, const at::Tensor& cells);

}  // namespace yoloq::train::detail
