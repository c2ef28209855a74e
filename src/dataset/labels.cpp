// SPDX-License-Identifier: Apache-2.0
#include "dataset/labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "vision/header.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFieldSeparators = " \t\r\v\f";
constexpr std::string_view kImages = "/images/";
constexpr std::string_view kLabels = "/labels/";
constexpr std::size_t kBoxColumns = 5;
constexpr std::size_t kFewestPolygonColumns = 7;  // A class and three corners.

/// A line of a label file, for messages.
struct Place {
  std::string_view name;
  std::size_t line;
};

template <typename... Args>
[[noreturn]] void reject(const Place& place, fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorCode::corrupt_file, "{}:{}: {}", place.name, place.line,
       fmt::format(format, std::forward<Args>(args)...));
}

std::vector<double> numbers(std::string_view line, const Place& place) {
  std::vector<double> values;
  for (std::size_t at = line.find_first_not_of(kFieldSeparators); at != std::string_view::npos;
       at = line.find_first_not_of(kFieldSeparators, at)) {
    const std::string_view word = line.substr(at, line.find_first_of(kFieldSeparators, at) - at);
    double value = 0;
    const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (code != std::errc{} || stop != word.data() + word.size()) {
      reject(place, "'{}' is no number", word.substr(0, 40));
    }
    values.push_back(value);
    at += word.size();
  }
  return values;
}

int checked_class(double value, std::size_t class_count, const Place& place) {
  if (value >= 0 && value < static_cast<double>(class_count) && value == std::floor(value)) {
    return static_cast<int>(value);
  }
  if (class_count == 0) reject(place, "class {}, but the data set names no classes", value);
  reject(place, "class {}, expected 0 to {}", value, class_count - 1);
}

/// The box around a polygon x1 y1 x2 y2 ...
Label around(std::span<const double> corners, int class_index) {
  double left = 1, right = 0, top = 1, bottom = 0;
  for (std::size_t i = 0; i + 1 < corners.size(); i += 2) {
    left = std::min(left, corners[i]);
    right = std::max(right, corners[i]);
    top = std::min(top, corners[i + 1]);
    bottom = std::max(bottom, corners[i + 1]);
  }
  return {class_index, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top};
}

Label to_label(std::span<const double> columns, std::size_t class_count, const Place& place) {
  const bool is_box = columns.size() == kBoxColumns;
  if (!is_box && (columns.size() < kFewestPolygonColumns || columns.size() % 2 == 0)) {
    reject(place,
           "{} columns, expected 5 (class x y width height) or a class and three or more corners",
           columns.size());
  }
  const int class_index = checked_class(columns[0], class_count, place);
  const auto coordinates = columns.subspan(1);
  for (const double value : coordinates) {
    if (value >= 0 && value <= 1) continue;
    reject(place, "coordinate {} is not within 0 to 1: labels are parts of the image's sides",
           value);
  }
  if (!is_box) return around(coordinates, class_index);
  return {class_index, columns[1], columns[2], columns[3], columns[4]};
}

TruthBox to_pixels(const Label& label, std::size_t image, vision::Size size) {
  return {.image = image,
          .class_index = label.class_index,
          .x = (label.x - label.width / 2) * size.width,
          .y = (label.y - label.height / 2) * size.height,
          .width = label.width * size.width,
          .height = label.height * size.height};
}

}  // namespace

std::vector<Label> parse_labels(std::string_view text, std::string_view name,
                                std::size_t class_count) {
  std::vector<Label> labels;
  Place place{.name = name, .line = 1};
  for (std::size_t begin = 0; begin < text.size(); ++place.line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::vector<double> columns = numbers(text.substr(begin, end - begin), place);
    begin = end + 1;
    if (columns.empty()) continue;
    const Label label = to_label(columns, class_count, place);
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  }
  return labels;
}

fs::path label_path(const fs::path& image) {
  std::string path = fs::path(image).replace_extension(".txt").string();
  const std::size_t at = path.rfind(kImages);
  if (at != std::string::npos) path.replace(at, kImages.size(), kLabels);
  return path;
}

GroundTruth read_ground_truth(std::span<const fs::path> images, std::size_t class_count,
                              const Progress& progress) {
  GroundTruth truth;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const vision::Size size = vision::image_size(images[i]);
    const fs::path labels = label_path(images[i]);
    truth.sizes.push_back(size);
    std::error_code ignored;
    if (fs::exists(labels, ignored)) {
      for (const Label& label : parse_labels(read_file(labels), labels.string(), class_count)) {
        truth.boxes.push_back(to_pixels(label, i, size));
      }
    } else {
      ++truth.unlabelled;
    }
    if (progress) progress(i + 1, images.size());
  }
  if (!images.empty() && truth.unlabelled == images.size()) {
    fail(ErrorCode::not_found,
         "no ground truth: none of the {} images has a label file; looked for '{}' and so on",
         images.size(), label_path(images.front()).string());
  }
  return truth;
}

}  // namespace yoloq::dataset
