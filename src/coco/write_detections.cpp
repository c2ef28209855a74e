// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "coco/detections.h"
#include "core/error.h"
#include "core/file.h"

namespace yoloq::coco {

namespace {

constexpr std::size_t kTypicalBytes = 160;
constexpr std::size_t kLongestNumber = 32;

/// A number without allocating: std::to_chars gives the shortest text that reads back the same.
template <typename T>
void append(std::string& text, T number) {
  std::array<char, kLongestNumber> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  text.append(digits.data(), end);
}

void append(std::string& text, const Detection& detection) {
  text += "{\"image_id\":";
  append(text, detection.image_id);
  text += ",\"category_id\":";
  append(text, detection.category_id);
  text += ",\"bbox\":[";
  for (std::size_t i = 0; i < detection.bbox.size(); ++i) {
    if (i > 0) text += ',';
    append(text, detection.bbox[i]);
  }
  text += "],\"score\":";
  append(text, detection.score);
  text += '}';
}

bool is_finite(const Detection& detection) {
  const auto& [x, y, width, height] = detection.bbox;
  return std::isfinite(x) && std::isfinite(y) && std::isfinite(width) && std::isfinite(height) &&
         std::isfinite(detection.score);
}

}  // namespace

std::string to_json(std::span<const Detection> detections) {
  std::string text;
  text.reserve(detections.size() * kTypicalBytes + 4);
  text += '[';
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (!is_finite(detections[i])) {
      fail(ErrorCode::bad_value,
           "detection {} of image {} holds a number that is NaN or infinite; JSON cannot say it", i,
           detections[i].image_id);
    }
    text += i == 0 ? "\n" : ",\n";
    append(text, detections[i]);
  }
  text += "\n]\n";
  return text;
}

void write_detections(const std::filesystem::path& path, std::span<const Detection> detections) {
  write_file(path, to_json(detections));
}

}  // namespace yoloq::coco
