// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dataset/augmentation.h"
#include "dataset/detail/image_store.h"
#include "dataset/label_index.h"
#include "vision/image.h"

namespace yoloq::dataset::detail {

/// A picture with the boxes on it.
struct LabelledImage {
  vision::Image image;
  std::vector<PixelBox> boxes;
};

/// Where the images of a picture come from, and their labels.
struct PictureSource {
  const ImageStore& store;
  const LabelIndex& index;
  int side_px;  ///< Of the result.
};

/// An image alone, in the middle of the canvas.
///
/// @param scale_up  false: an image that is smaller than the canvas stays small.
LabelledImage centred(const PictureSource& source, std::size_t image, bool scale_up);

/// The picture as it was drawn, moved to its place.
///
/// Source: load_mosaic() of Ultralytics' utils/dataloaders.py.
LabelledImage compose(const PictureSource& source, const Picture& picture);

}  // namespace yoloq::dataset::detail
