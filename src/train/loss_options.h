// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/metadata.h"

namespace yoloq::train {

/// What the training loss depends on besides predictions and labels. The numbers have the names
/// that they have in Ultralytics' hyp.yaml; the defaults are those of hyp.scratch-low.yaml.
struct LossOptions {
  std::vector<std::vector<model::Anchor>> anchors = {};  ///< Pixels, per level, fine to coarse.
  std::vector<int> strides = {};                         ///< Pixels per cell of each level.
  double box = 0.05;                                     ///< Gain of the boxes' part.
  double cls = 0.5;                                      ///< Gain of the classes' part.
  double obj = 1.0;                                      ///< Gain of the objectness's part.
  double cls_pw = 1.0;           ///< Weight of the class that is there against those that are not.
  double obj_pw = 1.0;           ///< Weight of cells with an object against those without.
  double fl_gamma = 0.0;         ///< Exponent of the focal loss; 0: plain cross entropy.
  double anchor_t = 4.0;         ///< A box and an anchor match if their sides differ by less.
  double label_smoothing = 0.0;  ///< 0: targets are 0 and 1; s: s / 2 and 1 - s / 2.
};

/// What the gains of a hyp.yaml are scaled by before training.
struct LossScale {
  int class_count = 80;
  int image_side_px = 640;
};

/// `options` with gains for this many classes, this image size and its number of levels:
///
///     box * 3 / levels    cls * classes / 80 * 3 / levels    obj * (side / 640)^2 * 3 / levels
///
/// Source: train() of Ultralytics' train.py, v5.0 to v7.0.
///
/// @throws Error(bad_argument) if `options` has no level or the scale is not positive.
LossOptions scale_gains(LossOptions options, const LossScale& scale);

}  // namespace yoloq::train
