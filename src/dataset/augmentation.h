// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/random.h"
#include "dataset/hyperparameters.h"
#include "dataset/perspective.h"
#include "vision/compose.h"
#include "vision/hsv.h"

/// @file
/// How a training sample is made, apart from the images themselves: what is drawn at random stands
/// in an Augmentation; what follows from it is computed without chance.
///
///     (seed, epoch, index) -> Random -> draw_augmentation -> Augmentation -> TrainingSet::sample

namespace yoloq::dataset {

/// One image, or four around a point, and how the whole is moved.
struct Picture {
  std::array<std::size_t, 4> images = {};  ///< Top left, top right, bottom left, bottom right.
  bool is_mosaic = false;                  ///< False: images[0] alone.
  int centre_x = 0;                        ///< Where the four meet, on a canvas of twice the size.
  int centre_y = 0;
  Perspective perspective = {};

  friend bool operator==(const Picture&, const Picture&) = default;
};

/// Everything that is drawn for a sample.
struct Augmentation {
  std::vector<Picture> pictures = {};  ///< One, or two that lie over one another.
  double weight = 1;                   ///< Of the first picture.
  bool change_colours = false;
  vision::HsvGains gains = {};
  vision::Flip flip = {};

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// What the sample of an image is drawn from.
struct AugmentationSource {
  std::size_t image_count = 1;
  int side_px = 640;  ///< Of the sample.
};

/// Draws with the distributions of Ultralytics' training, though not its generator.
///
/// Source: LoadImagesAndLabels.__getitem__() and load_mosaic() of Ultralytics'
/// utils/dataloaders.py; augment_hsv(), random_perspective() and mixup() of utils/augmentations.py.
Augmentation draw_augmentation(const Hyperparameters& hyperparameters,
                               const AugmentationSource& source, std::size_t image, Random& random);

}  // namespace yoloq::dataset
