// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "dataset/data_yaml.h"
#include "pipeline/calibration.h"
#include "train/team.h"
#include "train/training.h"

namespace CLI {
class App;
}

/// @file
/// What `train` and `qat` have in common: the data, the recipe, and what is seen of it.

namespace yoloq::cli {

struct TrainingArguments {
  std::filesystem::path data;
  std::filesystem::path annotations;
  std::string hyp;
  std::filesystem::path out;
  SizeArguments size;
  JsonArguments json;
  train::Recipe recipe;
  /// Of --nominal-batch; none: that of --batch-size, an update for each batch.
  std::optional<int> nominal_batch = train::Recipe{}.nominal_batch;
  std::string split = "train";
  bool resume = false;
  bool replace = false;
  bool validate = true;
  bool linear = false;
  std::shared_ptr<const train::Team> team;  ///< Since join_ranks().

  /// @param hyp  the default of --hyp; those of other options are what the members hold.
  void declare(CLI::App& app, const char* hyp, const char* out);

  /// Takes the rank that a launcher gives this process: its GPU, its share of the threads.
  /// Waits for the others. Only rank 0 prints from then on. To be called first.
  void join_ranks();

  /// Rank 0: whether --out and --json can be written, and --out may. For before anything is done.
  ///
  /// @param start  the model that training starts from; not to be overwritten but by --resume.
  /// @throws as train::check_folder(); Error(io); Error(bad_usage) as require_other_files().
  void check_files(const std::vector<std::filesystem::path>& start) const;

  /// All ranks, to share work before training.
  pipeline::Processes processes() const;

  /// Of the images; 640 unless told.
  vision::Size side() const;

  /// Fills what the data set decides: images, ground truth, hyper-parameters, recipe, folder.
  /// Prints a notice for each key of --hyp that is unknown or changes nothing.
  ///
  /// @param job  with its model and head.
  /// @throws Error(bad_argument) if the data set has another number of classes than the model;
  ///     as dataset::parse_hyperparameters() for --hyp.
  void fill(train::Job& job, const dataset::Dataset& dataset) const;

  /// Trains with a line per epoch and a bar within it; writes --json.
  train::Result run(const train::Job& job) const;
};

}  // namespace yoloq::cli
