// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

using Value = std::function<double(const TrainedEpoch&)>;

constexpr std::array<const char*, 3> kParts{"box", "objectness", "classes"};
constexpr std::array<const char*, 3> kGroups{"first group", "second group", "third group"};

/// A curve over the epochs that have the value; empty where none has.
Series over_epochs(const Training& training, std::string name, const Value& value) {
  Series series{.name = std::move(name)};
  for (const TrainedEpoch& epoch : training.epochs) {
    const double y = value(epoch);
    if (std::isfinite(y)) series.add(epoch.epoch, y);
  }
  series.mark = series.x.size() == 1 ? Mark::points : Mark::lines;
  return series;
}

/// Adds the figure unless no curve has a point.
void add_figure(Section& section, std::string title, std::vector<Series> curves) {
  std::erase_if(curves, [](const Series& series) { return series.x.empty(); });
  if (curves.empty()) return;
  section.blocks.emplace_back(Figure{.plot = {.title = std::move(title),
                                              .x_label = "epoch",
                                              .chart = Chart{.series = std::move(curves)}}});
}

/// By what Ultralytics' train.py calls fitness, which chooses best.pt.
const TrainedEpoch& best_epoch(const Training& training) {
  const auto fitness = [](const TrainedEpoch& epoch) {
    const double value = 0.1 * epoch.ap50 + 0.9 * epoch.ap;
    return std::isfinite(value) ? value : -1.0;
  };
  return *std::ranges::max_element(training.epochs, {}, fitness);
}

std::vector<std::string> row_of(const std::string& name, const TrainedEpoch& epoch) {
  const auto text = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-";
  };
  return {name,
          fmt::format("{:.0f}", epoch.epoch),
          text(epoch.ap),
          text(epoch.ap50),
          text(epoch.precision),
          text(epoch.recall),
          text(epoch.train_loss[0] + epoch.train_loss[1] + epoch.train_loss[2])};
}

void add_training(Section& section, const Training& training, bool with_file) {
  const std::string of = with_file ? ", " + training.file : "";
  section.blocks.emplace_back(
      Table{.header = {"epoch", "number", "mAP .5:.95", "mAP .5", "precision", "recall", "loss"},
            .rows = {row_of("best" + of, best_epoch(training)),
                     row_of("last" + of, training.epochs.back())}});
  for (std::size_t part = 0; part < kParts.size(); ++part) {
    add_figure(section, fmt::format("Loss: {}{}", kParts[part], of),
               {over_epochs(training, "train",
                            [part](const TrainedEpoch& epoch) { return epoch.train_loss[part]; }),
                over_epochs(training, "val",
                            [part](const TrainedEpoch& epoch) { return epoch.val_loss[part]; })});
  }
  add_figure(section, "Accuracy" + of,
             {over_epochs(training, "mAP .5:.95", &TrainedEpoch::ap),
              over_epochs(training, "mAP .5", &TrainedEpoch::ap50),
              over_epochs(training, "precision", &TrainedEpoch::precision),
              over_epochs(training, "recall", &TrainedEpoch::recall)});
  std::vector<Series> rates;
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    rates.push_back(over_epochs(training, kGroups[group], [group](const TrainedEpoch& epoch) {
      return epoch.learning_rates[group];
    }));
  }
  add_figure(section, "Learning rates" + of, std::move(rates));
}

}  // namespace

Section training_section(const RunFolder& run) {
  Section section{.title = "Training"};
  if (run.trainings.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no results.csv of a training in the folder",
                        "yoloq train --weights MODEL.pt --data DATA.yaml --out {}"));
    return section;
  }
  for (const Training& training : run.trainings) {
    add_training(section, training, run.trainings.size() > 1);
  }
  return section;
}

}  // namespace yoloq::report
