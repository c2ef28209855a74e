// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// @file
/// COCO bounding box evaluation, number for number as pycocotools does it.
///
///     annotations.json ─▶ Annotations ─┐
///                                      ├─▶ match ─▶ Matches ─▶ accumulate ─▶ Metrics
///     detections.json ─▶ Detections ───┘
///
/// `evaluate` runs both steps; they are apart so that a subset or a resampling of the images can be
/// accumulated again without matching.

namespace yoloq::coco {

/// One image of an annotation file.
struct Image {
  std::int64_t id = 0;
  std::int64_t width = 0;   ///< Pixels; 0 where the file does not say.
  std::int64_t height = 0;  ///< Pixels; 0 where the file does not say.
  std::string file_name;    ///< Empty where the file does not say.

  friend bool operator==(const Image&, const Image&) = default;
};

/// One class.
struct Category {
  std::int64_t id = 0;
  std::string name;

  friend bool operator==(const Category&, const Category&) = default;
};

/// One ground truth box.
struct Box {
  std::int64_t id = 0;
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  std::array<double, 4> bbox{};  ///< x, y of the top left corner, width, height; pixels.
  double area = 0.0;             ///< Of the object, pixels squared; not always width * height.
  bool is_crowd = false;         ///< A group; false where the file does not say.
  bool ignore = false;  ///< As in the file. Evaluation ignores crowds only, see evaluate.h.

  friend bool operator==(const Box&, const Box&) = default;
};

/// A COCO annotation file, in the order of the file.
struct Annotations {
  std::vector<Image> images;
  std::vector<Category> categories;
  std::vector<Box> boxes;

  friend bool operator==(const Annotations&, const Annotations&) = default;
};

/// Reads a COCO instances file. Fields that are not listed above (segmentation, licences, ...) are
/// skipped.
///
/// @throws Error(not_found), Error(io) if the file cannot be read; Error(corrupt_file) naming the
///     list, the index in it and the field if one is missing or of the wrong type, or if two boxes
///     have one id.
Annotations read_annotations(const std::filesystem::path& path);

/// The same from the text of such a file.
Annotations parse_annotations(std::string_view json);

}  // namespace yoloq::coco
