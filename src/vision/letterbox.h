// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vision/geometry.h"
#include "vision/image.h"

namespace yoloq::vision {

struct LetterboxOptions {
  Size size = {.width = 640, .height = 640};  ///< Of the canvas: what the model takes.
  bool scale_up = true;                       ///< Enlarge images that are smaller than the canvas.
  std::uint8_t grey = 114;                    ///< Of the border.
};

/// Where an image lies on its canvas.
///
///     canvas x = original x * ratio + left, and the same for y and top.
struct Placement {
  Size original = {};
  Size canvas = {};
  Size resized = {};  ///< Of the image on the canvas.
  int left = 0;       ///< Columns of border before the image.
  int top = 0;        ///< Rows of border above the image.
  double ratio = 1;   ///< Canvas pixels per original pixel.

  friend bool operator==(const Placement&, const Placement&) = default;
};

/// Centres an image on the canvas, as large as fits, with its proportions kept.
///
/// Source: letterbox() of Ultralytics' utils/augmentations.py with auto=False, scaleFill=False.
///
/// @throws Error(bad_argument) if a side of either is not positive.
Placement place(Size original, const LetterboxOptions& options);

/// Brings a box from the canvas back to the original image and cuts it at the image's borders, in
/// float32: the exact inverse of the placement.
///
/// YOLOv5's scale_coords() subtracts (canvas - original * ratio) / 2 instead of the whole columns
/// and rows of border that its letterbox() added, so its boxes lie up to half a canvas pixel beside
/// these where that is not a whole number. Ultralytics' later package rounds as here.
Rect to_original(const Rect& box, const Placement& placement);

/// Resizes bilinearly where needed, adds the border and parts the colours, in one pass:
/// red, green, blue planes [3, canvas height, canvas width].
///
/// @param canvas  filled whole; 3 * width * height elements. Floats are the bytes / 255.
/// @throws Error(bad_argument) if `canvas` has another size or the image is empty.
Placement letterbox_into(std::span<float> canvas, const Image& image,
                         const LetterboxOptions& options = {});
Placement letterbox_into(std::span<std::uint8_t> canvas, const Image& image,
                         const LetterboxOptions& options = {});

/// The bytes of letterbox_into() with their placement.
struct Letterboxed {
  std::vector<std::uint8_t> planes;  ///< [3, canvas height, canvas width], red green blue.
  Placement placement;
};
Letterboxed letterbox(const Image& image, const LetterboxOptions& options = {});

}  // namespace yoloq::vision
