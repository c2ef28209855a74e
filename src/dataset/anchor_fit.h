// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "dataset/label_index.h"
#include "dataset/labels.h"

namespace yoloq::dataset {

/// Width and height in pixels, of a box or of an anchor (model::Anchor is the same type).
using Sides = std::array<float, 2>;

/// How well anchors fit the boxes of a data set. A box and an anchor match if neither of their
/// sides differs by the factor that is asked for or more.
struct AnchorFit {
  double best_possible_recall = 0;  ///< Part of the boxes that some anchor matches; the rest
                                    ///< cannot be learnt.
  double anchors_per_box = 0;       ///< That match a box, in the mean.
  std::size_t boxes = 0;

  /// Above the 0.98 under which Ultralytics' autoanchor looks for new anchors.
  bool is_good() const { return best_possible_recall > 0.98; }
};

/// The sides of all boxes after each image was scaled so that its longer side has this many pixels.
std::vector<Sides> box_sides(const GroundTruth& truth, int image_side_px);
std::vector<Sides> box_sides(const LabelIndex& index, int image_side_px);

/// What Ultralytics' check_anchors() prints before training, without its random change of the
/// images' scales by up to 10 %.
///
/// @param boxes    at the size that the model sees.
/// @param anchors  of all levels, in pixels.
/// @param largest_ratio  the factor: `anchor_t` of the hyper-parameters, above 1.
///
/// Source: check_anchors() of Ultralytics' utils/autoanchor.py, v5.0 to v7.0.
///
/// @throws Error(bad_argument) if there are no boxes or anchors, a side of an anchor is not
/// positive, or the factor is not above 1.
AnchorFit fit_anchors(std::span<const Sides> boxes, std::span<const Sides> anchors,
                      double largest_ratio);

}  // namespace yoloq::dataset
