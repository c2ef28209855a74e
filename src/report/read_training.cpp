// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "report/detail/readers.h"

namespace yoloq::report::detail {

namespace {

constexpr double kNotSaid = std::numeric_limits<double>::quiet_NaN();

std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// What stands before `separator`; takes it and the separator away from `text`.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return piece;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  while (!line.empty()) cells.push_back(without_spaces(cut(line, ',')));
  return cells;
}

/// One line under the names of the first.
class Line {
 public:
  Line(const std::vector<std::string_view>& names, std::string_view line, std::size_t number)
      : names_(names), cells_(cells_of(line)), number_(number) {
    if (cells_.size() == names_.size()) return;
    fail(ErrorCode::corrupt_file, "line {} has {} columns; expected {}, as its first line", number_,
         cells_.size(), names_.size());
  }

  /// NaN if there is no such column.
  double operator[](std::string_view name) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return number(cells_[i], name);
    }
    return kNotSaid;
  }

 private:
  double number(std::string_view cell, std::string_view name) const {
    double value = 0;
    const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (problem == std::errc() && end == cell.data() + cell.size()) return value;
    fail(ErrorCode::corrupt_file, "line {} has '{}' under {}; expected a number", number_, cell,
         name);
  }

  const std::vector<std::string_view>& names_;
  std::vector<std::string_view> cells_;
  std::size_t number_;
};

TrainedEpoch epoch_of(const Line& line) {
  return {.epoch = line["epoch"],
          .train_loss = {line["train/box_loss"], line["train/obj_loss"], line["train/cls_loss"]},
          .val_loss = {line["val/box_loss"], line["val/obj_loss"], line["val/cls_loss"]},
          .precision = line["metrics/precision"],
          .recall = line["metrics/recall"],
          .ap50 = line["metrics/mAP_0.5"],
          .ap = line["metrics/mAP_0.5:0.95"],
          .learning_rates = {line["x/lr0"], line["x/lr1"], line["x/lr2"]}};
}

}  // namespace

bool is_training(std::string_view beginning) {
  const auto names = cells_of(cut(beginning, '\n'));
  return names.size() > 1 && names[0] == "epoch" && names[1].starts_with("train/");
}

void read_training(const std::filesystem::path& path, RunFolder& run) {
  const std::string content = read_file(path);
  std::string_view text = content;
  const auto names = cells_of(cut(text, '\n'));
  Training training{.file = path.filename().string()};
  for (std::size_t number = 2; !text.empty(); ++number) {
    if (text.find('\n') == std::string_view::npos) {
      fail(ErrorCode::corrupt_file,
           "line {} was cut off: a training was broken off while it wrote; resume it, or delete "
           "the line",
           number);
    }
    const std::string_view line = cut(text, '\n');
    if (without_spaces(line).empty()) continue;
    training.epochs.push_back(epoch_of(Line(names, line, number)));
  }
  if (training.epochs.empty()) fail(ErrorCode::corrupt_file, "it holds no epoch");
  run.origins.push_back({.file = training.file, .kind = "training"});
  run.trainings.push_back(std::move(training));
}

}  // namespace yoloq::report::detail
