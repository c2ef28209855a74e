// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "vision/geometry.h"

namespace yoloq::dataset {

/// One line of a label file. Centre and sides as parts of the image's width and height, 0 to 1.
struct Label {
  int class_index = 0;
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  friend bool operator==(const Label&, const Label&) = default;
};

/// Reads YOLO labels: `class x y width height` per line, or `class x1 y1 x2 y2 x3 y3 ...`, a
/// polygon, which becomes the box around it. A line that comes again is left out, as Ultralytics
/// does.
///
/// @param name  the file, for messages.
/// @throws Error(corrupt_file) with file and line for another number of columns, a class that is
/// not 0 to class_count - 1, or a coordinate outside 0 to 1.
std::vector<Label> parse_labels(std::string_view text, std::string_view name,
                                std::size_t class_count);

/// A line of a label file that is not empty, for those who want to know of every fault.
struct LabelLine {
  std::size_t number = 0;      ///< From 1.
  std::optional<Label> label;  ///< None if the line cannot be used.
  std::string fault = {};      ///< Why not.
  std::size_t again = 0;       ///< The line that has the same label; 0 if this is the first.
};

/// As parse_labels(), but goes on after a line that cannot be used.
std::vector<LabelLine> read_label_lines(std::string_view text, std::size_t class_count);

/// Where the labels of an image are: the last /images/ of its path becomes /labels/, its extension
/// .txt. A relative path without /images/ is taken from the current folder first: images/a.jpg.
///
/// Source: img2label_paths() of Ultralytics' utils/dataloaders.py.
std::filesystem::path label_path(const std::filesystem::path& image);

/// A box to find, in pixels of the upright image.
struct TruthBox {
  std::size_t image = 0;  ///< Index into the list of images.
  int class_index = 0;
  double x = 0;  ///< Of the left edge.
  double y = 0;  ///< Of the top edge.
  double width = 0;
  double height = 0;

  friend bool operator==(const TruthBox&, const TruthBox&) = default;
};

/// What the label files of a list of images say.
struct GroundTruth {
  std::vector<TruthBox> boxes;      ///< In the order of the images.
  std::vector<vision::Size> sizes;  ///< One per image.
  std::size_t unlabelled = 0;       ///< Images without a label file: taken to show nothing.
};

/// Reads size and labels of each image.
///
/// @throws Error(not_found) if no image at all has a label file (with the first place looked in),
/// else as parse_labels() and vision::image_size().
GroundTruth read_ground_truth(std::span<const std::filesystem::path> images,
                              std::size_t class_count, const Progress& progress = {});

}  // namespace yoloq::dataset
