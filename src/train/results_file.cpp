// SPDX-License-Identifier: Apache-2.0
#include "train/results_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::train {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFirstColumn = "epoch";

std::string results_header() {
  std::string line = fmt::format("{:>20}", kFirstColumn);
  for (const std::string_view name : kResultColumns) line += fmt::format(",{:>20}", name);
  return line + "\n";
}

/// Five significant digits, as C's %.5g.
std::string results_line(const EpochResults& results) {
  std::string line = fmt::format("{:>20}", fmt::format("{:.5g}", double(results.epoch)));
  for (const double value : results.values()) line += fmt::format(",{:>20.5g}", value);
  return line + "\n";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The number in the first column.
int epoch_of(std::string_view line, std::size_t number) {
  const std::string_view cell = trimmed(line.substr(0, line.find(',')));
  double epoch = -1;
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), epoch);
  if (problem != std::errc() || end != cell.data() + cell.size() || !(epoch >= 0 && epoch < 1e9)) {
    fail(ErrorCode::corrupt_file,
         "line {} begins with '{}'; expected the number of an epoch, as training writes it", number,
         cell);
  }
  return static_cast<int>(epoch);
}

/// The lines that stay.
std::string before_epoch(std::string_view text, int first_epoch) {
  std::string kept;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // Cut off while it was written.
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    const bool header = number == 1 && trimmed(line.substr(0, line.find(','))) == kFirstColumn;
    if (number == 1 && !header) {
      fail(ErrorCode::corrupt_file, "its first line does not begin with the column '{}'",
           kFirstColumn);
    }
    if (header || epoch_of(line, number) < first_epoch) kept += line;
  }
  return kept;
}

}  // namespace

std::array<double, 13> EpochResults::values() const {
  return {train_loss[0],
          train_loss[1],
          train_loss[2],
          precision,
          recall,
          map50,
          map,
          val_loss[0],
          val_loss[1],
          val_loss[2],
          learning_rates[0],
          learning_rates[1],
          learning_rates[2]};
}

void append_results(const fs::path& path, const EpochResults& results) {
  std::error_code problem;
  const bool begins = !fs::exists(path, problem) || fs::file_size(path, problem) == 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "ab"),
                                                             std::fclose);
  const std::string text = (begins ? results_header() : "") + results_line(results);
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    const std::error_code why(errno, std::generic_category());
    fail(ErrorCode::io, "cannot write {}: {}", path.string(), why.message());
  }
}

void truncate_results(const fs::path& path, int first_epoch) {
  std::error_code problem;
  if (!fs::exists(path, problem)) return;
  const std::string text = read_file(path);
  try {
    const std::string kept = before_epoch(text, first_epoch);
    if (kept != text) write_file(path, kept);
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace yoloq::train
