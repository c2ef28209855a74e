// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "detect/decode.h"
#include "detect/head.h"

namespace yoloq::detect::detail {

/// How far the values of a raw level lie apart, in elements.
struct Layout {
  std::size_t height = 0;  ///< Cells.
  std::size_t width = 0;
  std::size_t image_step = 0;
  std::size_t anchor_step = 0;
  std::size_t channel_step = 0;  ///< tx to ty to tw, ...
  std::size_t cell_step = 0;

  std::size_t cells() const { return height * width; }
};

/// The rows of a decoded head that belong to one image.
struct Rows {
  const float* values = nullptr;
  std::size_t count = 0;
  std::size_t columns = 0;
};

/// @throws Error(bad_argument) if the head is incomplete or there is another number of outputs.
void check(const Head& head, const HeadBatch& batch);

/// @throws Error(bad_argument) if the shape of the level does not fit the head or the canvas.
Layout layout_of(const Head& head, const HeadBatch& batch, std::size_t level);
Rows rows_of(const Head& head, const HeadBatch& batch);

}  // namespace yoloq::detect::detail
