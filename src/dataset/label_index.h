// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "vision/geometry.h"

namespace yoloq::dataset {

/// A box to learn: centre and size as parts, 0 to 1, of the image or of the canvas.
struct TrainingLabel {
  int class_index = 0;
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;

  friend bool operator==(const TrainingLabel&, const TrainingLabel&) = default;
};

/// An image that cannot be used.
struct BadImage {
  std::filesystem::path path;
  std::string why;  ///< With the path.

  friend bool operator==(const BadImage&, const BadImage&) = default;
};

/// Sizes and labels of the images of a data set.
struct LabelIndex {
  std::vector<std::filesystem::path> images = {};  ///< Those that can be used, in their order.
  std::vector<vision::Size> sizes = {};            ///< One per image.
  std::vector<TrainingLabel> labels = {};          ///< Those of all images, one after another.
  std::vector<std::size_t> ends = {};              ///< Where in `labels` those of an image end.
  std::size_t unlabelled = 0;                      ///< Images without a label file; 0 where none
                                                   ///< was looked for.
  std::vector<BadImage> bad = {};                  ///< Left out.

  std::span<const TrainingLabel> labels_of(std::size_t image) const {
    const std::size_t begin = image == 0 ? 0 : ends[image - 1];
    return std::span(labels).subspan(begin, ends[image] - begin);
  }

  friend bool operator==(const LabelIndex&, const LabelIndex&) = default;
};

/// Reads the header of each image and its labels. An image is bad if its header cannot be read or
/// the end of its file is missing; damage between shows when it is decoded.
///
/// @throws Error(corrupt_file) with file and line for a label that cannot be used, as
/// parse_labels(); Error(not_found) if no image has a label file; Error(bad_argument) if there is
/// no image.
LabelIndex index_labels(std::span<const std::filesystem::path> images, std::size_t class_count,
                        const Progress& progress = {});

/// The same images and sizes without looking for labels: each image has none.
///
/// @throws Error(bad_argument) if there is no image.
LabelIndex index_images(std::span<const std::filesystem::path> images,
                        const Progress& progress = {});

/// Tells apart what is learned from: 32 digits that hash, in order, file name, size and labels of
/// the images that can be used. The folder may be another, as may pixels under the same size.
std::string fingerprint_of(const LabelIndex& index);

}  // namespace yoloq::dataset
