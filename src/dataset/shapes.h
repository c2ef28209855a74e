// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/random.h"
#include "dataset/labels.h"
#include "vision/image.h"

/// @file
/// A data set that is made, not collected: for trying a training, for tests and for tutorials.
///
///     seed ─▶ draw_shapes (one image, its labels) ─▶ write_shapes ─▶ images/, labels/, data.yaml
///
/// What the images show stands in docs/reference/dataset.md.

namespace yoloq::dataset {

struct ShapesOptions {
  int train_images = 2000;
  int val_images = 300;
  int side = 320;         ///< Pixels of the square images.
  int class_count = 4;    ///< The first of shape_names().
  int smallest = 12;      ///< Pixels across; the largest shape is half of the image.
  double visible = 0.25;  ///< At least this part of a shape's area is inside the image and under no
                          ///< other shape.
  std::uint64_t seed = 0;
  int threads = 0;         ///< 0: all. The files are the same for any number.
  bool force = false;      ///< Replace an earlier data set of this kind in the same folder.
  Progress progress = {};  ///< Per image.
};

/// "circle", "rectangle", "triangle", "star", "cross": by class.
std::vector<std::string> shape_names();

/// @throws Error(bad_argument) for options out of range, saying the range.
void check_shapes_options(const ShapesOptions& options);

/// One image and the boxes of its shapes.
struct ShapesImage {
  vision::Image image;
  std::vector<Label> labels;
};

/// Draws the image that `random` stands for.
///
/// @throws as check_shapes_options().
ShapesImage draw_shapes(const ShapesOptions& options, Random random);

/// What was written.
struct ShapesSummary {
  std::size_t images = 0;
  std::vector<std::size_t> boxes;  ///< Per class.
};

/// Writes the whole data set into `folder`: images/train, images/val, labels/train, labels/val and,
/// last, data.yaml. Image number i of a split depends on seed, side, class_count, split and i
/// alone.
///
/// @throws Error(bad_argument) for options out of range, or if the folder holds anything (with
///         `force`: anything but an earlier data set of this kind), naming it; Error(io).
ShapesSummary write_shapes(const std::filesystem::path& folder, const ShapesOptions& options);

}  // namespace yoloq::dataset
