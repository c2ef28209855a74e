// SPDX-License-Identifier: Apache-2.0
#include "dataset/augmentation.h"

#include <utility>

namespace yoloq::dataset {

namespace {

constexpr double kMixupShape = 32;  // Both parameters of the beta distribution: mostly near 0.5.

Picture draw_mosaic(const Hyperparameters& hyp, const AugmentationSource& source, std::size_t image,
                    Random& random) {
  Picture picture{.is_mosaic = true};
  const double side = source.side_px;
  picture.centre_y = static_cast<int>(random.uniform(side / 2, side * 3 / 2));
  picture.centre_x = static_cast<int>(random.uniform(side / 2, side * 3 / 2));
  picture.images[0] = image;
  for (std::size_t i = 1; i < 4; ++i) picture.images[i] = random.below(source.image_count);
  for (std::size_t i = 3; i > 0; --i) {
    std::swap(picture.images[i], picture.images[random.below(i + 1)]);
  }
  picture.perspective = draw_perspective(hyp, random);
  return picture;
}

/// A factor from 1 - part to 1 + part.
double draw_gain(double part, Random& random) { return 1 + part * random.uniform(-1, 1); }

}  // namespace

Augmentation draw_augmentation(const Hyperparameters& hyp, const AugmentationSource& source,
                               std::size_t image, Random& random) {
  Augmentation drawn;
  if (random.uniform() < hyp.mosaic) {
    drawn.pictures.push_back(draw_mosaic(hyp, source, image, random));
    if (random.uniform() < hyp.mixup) {
      const std::size_t other = random.below(source.image_count);
      drawn.pictures.push_back(draw_mosaic(hyp, source, other, random));
      drawn.weight = random.beta(kMixupShape, kMixupShape);
    }
  } else {
    drawn.pictures.push_back({.images = {image}, .perspective = draw_perspective(hyp, random)});
  }
  drawn.change_colours = hyp.hsv_h != 0 || hyp.hsv_s != 0 || hyp.hsv_v != 0;
  drawn.gains.hue = draw_gain(hyp.hsv_h, random);
  drawn.gains.saturation = draw_gain(hyp.hsv_s, random);
  drawn.gains.value = draw_gain(hyp.hsv_v, random);
  drawn.flip.up_down = random.uniform() < hyp.flipud;
  drawn.flip.left_right = random.uniform() < hyp.fliplr;
  return drawn;
}

}  // namespace yoloq::dataset
