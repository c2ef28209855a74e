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

template <typename... Args>
[[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorCode::corrupt_file, "{}", fmt::format(format, std::forward<Args>(args)...));
}

std::vector<double> numbers(std::string_view line) {
  std::vector<double> values;
  for (std::size_t at = line.find_first_not_of(kFieldSeparators); at != std::string_view::npos;
       at = line.find_first_not_of(kFieldSeparators, at)) {
    const std::string_view word = line.substr(at, line.find_first_of(kFieldSeparators, at) - at);
    double value = 0;
    const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (code != std::errc{} || stop != word.data() + word.size()) {
      reject("'{}' is no number", word.substr(0, 40));
    }
    values.push_back(value);
    at += word.size();
  }
  return values;
}

int checked_class(double value, std::size_t class_count) {
  if (value >= 0 && value < static_cast<double>(class_count) && value == std::floor(value)) {
    return static_cast<int>(value);
  }
  if (class_count == 0) reject("class {}, but the data set names no classes", value);
  reject("class {}, expected 0 to {}", value, class_count - 1);
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

Label to_label(std::span<const double> columns, std::size_t class_count) {
  const bool is_box = columns.size() == kBoxColumns;
  if (!is_box && (columns.size() < kFewestPolygonColumns || columns.size() % 2 == 0)) {
    reject("{} columns, expected 5 (class x y width height) or a class and three or more corners",
           columns.size());
  }
  const int class_index = checked_class(columns[0], class_count);
  const auto coordinates = columns.subspan(1);
  for (const double value : coordinates) {
    if (value >= 0 && value <= 1) continue;
    reject("coordinate {} is not within 0 to 1: labels are parts of the image's sides", value);
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

std::vector<LabelLine> read_label_lines(std::string_view text, std::size_t class_count) {
  std::vector<LabelLine> lines;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view written = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (written.find_first_not_of(kFieldSeparators) == std::string_view::npos) continue;
    LabelLine line{.number = number};
    try {
      line.label = to_label(numbers(written), class_count);
      const auto first = std::ranges::find(lines, line.label, &LabelLine::label);
      if (first != lines.end()) line.again = first->number;
    } catch (const Error& error) {
      line.fault = error.what();
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Label> parse_labels(std::string_view text, std::string_view name,
                                std::size_t class_count) {
  std::vector<Label> labels;
  for (const LabelLine& line : read_label_lines(text, class_count)) {
    if (!line.label) {
      fail(ErrorCode::corrupt_file, "{}:{}: {}", name, line.number, line.fault);
    }
    if (line.again == 0) labels.push_back(*line.label);
  }
  return labels;
}

fs::path label_path(const fs::path& image) {
  fs::path beside = fs::path(image).replace_extension(".txt");
  std::string path = beside.string();
  std::size_t at = path.rfind(kImages);
  if (at == std::string::npos && beside.is_relative()) {
    path = fs::absolute(beside).lexically_normal().string();
    at = path.rfind(kImages);
  }
  if (at == std::string::npos) return beside;
  return path.replace(at, kImages.size(), kLabels);
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
