// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yoloq::coco {

/// One box that a model found.
struct Detection {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  std::array<double, 4>
      bbox{};  ///< x, y of the top left corner, width, height; pixels of the image.
  double score = 0.0;

  friend bool operator==(const Detection&, const Detection&) = default;
};

/// Reads a COCO results file: a list of objects with image_id, category_id, bbox and score. Uses
/// all threads; holds a few blocks of the file in memory, not the whole.
///
/// @throws Error(not_found), Error(io) if the file cannot be read; Error(corrupt_file) naming the
///     index and the field if one is missing, of the wrong type or not finite.
std::vector<Detection> read_detections(const std::filesystem::path& path);

/// The same from the text of such a file.
std::vector<Detection> parse_detections(std::string_view json);

/// The text of a COCO results file. Each number is the shortest that reads back to the same double.
///
/// @throws Error(bad_value) naming the index if a number is NaN or infinite, which JSON cannot say.
std::string to_json(std::span<const Detection> detections);

/// Writes `to_json(detections)`; a reader sees the old file or the whole new one.
///
/// @throws Error(bad_value) as above, Error(io) saying what the system said.
void write_detections(const std::filesystem::path& path, std::span<const Detection> detections);

}  // namespace yoloq::coco
