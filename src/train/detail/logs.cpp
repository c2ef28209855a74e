// SPDX-License-Identifier: Apache-2.0
#include "train/detail/logs.h"

#include <cmath>
#include <limits>

#include "train/results_file.h"

namespace yoloq::train::detail {

namespace {

EpochResults results_of(const EpochReport& report) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  EpochResults results{.epoch = report.epoch, .train_loss = report.losses};
  results.map = report.ap.value_or(kUnknown);
  results.map50 = report.ap50.value_or(kUnknown);
  results.precision = report.ap ? report.precision : kUnknown;
  results.recall = report.ap ? report.recall : kUnknown;
  results.val_loss = report.val_losses.value_or(Losses{kUnknown, kUnknown, kUnknown});
  results.learning_rates = report.rates;
  return results;
}

}  // namespace

Logs::Logs(const std::filesystem::path& folder, int first_epoch)
    : table_(folder / "results.csv"), events_(folder, first_epoch) {
  truncate_results(table_, first_epoch);
}

void Logs::add(const EpochReport& report) {
  const EpochResults results = results_of(report);
  append_results(table_, results);
  const auto values = results.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) events_.add_scalar(kResultColumns[i], values[i], report.epoch);
  }
}

}  // namespace yoloq::train::detail
