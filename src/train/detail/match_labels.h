// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/metadata.h"

namespace yoloq::train::detail {

/// A box to learn. Centre and sides as parts of the image's width and height, 0 to 1.
struct ImageLabel {
  std::int64_t image = 0;  ///< Index into the batch.
  std::int64_t class_index = 0;
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};

/// One level of the head: a grid of cells, each with the same anchors.
struct Level {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<model::Anchor> anchors = {};  ///< Sides in cells.
};

/// What one level has to predict: n times a cell, an anchor and the box that they stand for. Kept
/// as columns, as tensors are made of them.
struct LevelTargets {
  std::vector<std::int64_t> cells;  ///< Indices into [N, na, H, W] in row-major order.
  std::vector<std::int64_t> classes;
  std::vector<float> boxes;         ///< [n, 4]: centre from the cell's corner, sides; in cells.
  std::vector<float> anchor_sides;  ///< [n, 2], in cells.

  /// Where several targets have the same cell, the last; and all that are alone. Ascending. The
  /// objectness of a cell is that of its last target.
  std::vector<std::int64_t> last;

  std::size_t size() const { return cells.size(); }
};

/// The labels that a level learns. A box goes to every anchor whose sides it exceeds, or falls
/// short of, by a factor below `largest_ratio`, in up to three cells: that of its centre, and its
/// neighbours across the two edges that are nearer than half a cell, unless they are outside.
///
/// The order is that of the original (cell's rule, anchor, label), on which `last` depends.
///
/// Source: ComputeLoss.build_targets() of Ultralytics' utils/loss.py, v5.0 to v7.0, float32
/// arithmetic included.
LevelTargets match_labels(std::span<const ImageLabel> labels, const Level& level,
                          float largest_ratio);

}  // namespace yoloq::train::detail
