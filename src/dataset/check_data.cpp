// SPDX-License-Identifier: Apache-2.0
#include "dataset/check_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/available_threads.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/labels.h"
#include "vision/header.h"
#include "vision/image.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

using Kind = DataFinding::Kind;

/// What six written decimals may put a box beyond an image that ends with it.
constexpr double kRoundedAway = 1.5e-6;

/// What was found about one image.
struct Checked {
  bool has_label_file = false;
  std::vector<Label> labels = {};
  std::vector<DataFinding> findings = {};
};

/// Why an image cannot be used; none if it can.
std::optional<std::string> image_fault(const fs::path& image, bool decode) {
  try {
    const std::string bytes = read_file(image);
    const auto header = decode ? std::nullopt : vision::read_header(bytes);
    if (!header) vision::decode_image(bytes, image.string());
    if (!header || header->complete) return std::nullopt;
    return fmt::format("image '{}' is incomplete: its end is missing", image.string());
  } catch (const Error& error) {
    return error.what();
  }
}

std::optional<DataFinding> finding_about(const LabelLine& line, const std::string& where) {
  if (!line.label) return DataFinding{Kind::bad_label, where, line.fault};
  const Label& box = *line.label;
  if (line.again > 0) {
    return DataFinding{Kind::duplicate, where, fmt::format("the same as line {}", line.again)};
  }
  if (box.width <= 0 || box.height <= 0) {
    return DataFinding{Kind::no_area, where, fmt::format("{} x {}", box.width, box.height)};
  }
  const double beyond = std::max({box.width / 2 - box.x, box.x + box.width / 2 - 1,
                                  box.height / 2 - box.y, box.y + box.height / 2 - 1});
  if (beyond <= kRoundedAway) return std::nullopt;
  return DataFinding{Kind::outside, where,
                     fmt::format("{:.6f} of the image's side beyond its border", beyond)};
}

void check_labels(const fs::path& image, std::size_t class_count, Checked& checked) {
  const fs::path file = label_path(image);
  std::error_code ignored;
  checked.has_label_file = fs::exists(file, ignored);
  if (!checked.has_label_file) {
    checked.findings.push_back(
        {Kind::no_label_file, image.string(), fmt::format("no '{}'", file.string())});
    return;
  }
  try {
    for (const LabelLine& line : read_label_lines(read_file(file), class_count)) {
      const std::string where = fmt::format("{}:{}", file.string(), line.number);
      if (auto finding = finding_about(line, where)) checked.findings.push_back(*finding);
      if (line.label && line.again == 0) checked.labels.push_back(*line.label);
    }
  } catch (const Error& error) {
    checked.findings.push_back({Kind::bad_label, file.string(), error.what()});
  }
}

Checked check_image(const fs::path& image, std::size_t class_count, bool decode) {
  Checked checked;
  if (auto fault = image_fault(image, decode)) {
    checked.findings.push_back({Kind::bad_image, image.string(), std::move(*fault)});
  }
  check_labels(image, class_count, checked);
  return checked;
}

/// Calls `work` with 0 to count - 1 on several threads; what it throws ends the others, too.
template <typename Work>
void for_each_index(std::size_t count, int threads, const Progress& progress, const Work& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::size_t done = 0;
  std::exception_ptr error;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
        const std::lock_guard lock(mutex);
        if (progress) progress(++done, count);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(run);
    run();
  }
  if (error) std::rethrow_exception(error);
}

void count_classes(const std::vector<Label>& labels, DataReport& report) {
  std::set<int> shown;
  for (const Label& label : labels) {
    ++report.boxes;
    ++report.classes[static_cast<std::size_t>(label.class_index)].boxes;
    shown.insert(label.class_index);
  }
  for (const int index : shown) ++report.classes[static_cast<std::size_t>(index)].images;
}

/// What shows in the whole only.
void check_whole(const fs::path& first, DataReport& report) {
  if (report.unlabelled == report.images) {
    report.findings.push_back({Kind::no_label_files, "all images",
                               fmt::format("none has a label file; looked for '{}' and so on",
                                           label_path(first).string())});
  }
  for (const ClassCount& count : report.classes) {
    if (count.boxes == 0) {
      report.findings.push_back({Kind::unused_class, count.name, "no box is of this class"});
    }
  }
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::bad_image:
      return "bad image";
    case Kind::bad_label:
      return "bad label";
    case Kind::no_label_files:
      return "no label files";
    case Kind::no_label_file:
      return "no label file";
    case Kind::outside:
      return "outside";
    case Kind::no_area:
      return "no area";
    case Kind::duplicate:
      return "duplicate";
    case Kind::unused_class:
      return "unused class";
  }
  return "";
}

bool DataReport::fatal() const { return std::ranges::any_of(findings, &DataFinding::fatal); }

DataReport check_data(std::span<const fs::path> images, std::span<const std::string> names,
                      const CheckDataOptions& options, const Progress& progress) {
  if (images.empty()) fail(ErrorCode::bad_argument, "an empty data set: there are no images");
  if (names.empty()) {
    fail(ErrorCode::bad_argument, "the data set names no classes; add 'names:' to its yaml");
  }
  std::vector<Checked> checked(images.size());
  const int threads = options.threads > 0 ? options.threads : available_threads();
  for_each_index(images.size(), threads, progress, [&](std::size_t i) {
    checked[i] = check_image(images[i], names.size(), options.decode);
  });

  DataReport report{.images = images.size()};
  for (const std::string& name : names) report.classes.push_back({.name = name});
  for (Checked& image : checked) {
    report.unlabelled += image.has_label_file ? 0 : 1;
    report.empty += image.has_label_file && image.labels.empty() ? 1 : 0;
    count_classes(image.labels, report);
    std::ranges::move(image.findings, std::back_inserter(report.findings));
  }
  check_whole(images.front(), report);
  std::ranges::stable_sort(report.findings, {}, &DataFinding::kind);
  return report;
}

}  // namespace yoloq::dataset
