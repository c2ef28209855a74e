// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/ranges.h"
#include "coco/bootstrap.h"
#include "coco/detections.h"
#include "coco/tide.h"
#include "quantize/plan.h"
#include "sensitivity/profile.h"

namespace yoloq::report {

/// Where one file of the folder comes from, as it says itself.
struct Origin {
  std::string file;  ///< Its name in the folder.
  std::string kind;  ///< "evaluation", "benchmark", ...
  std::string tool;
  std::string command;
  std::string date;
  std::string machine;
  std::string backend;
  std::string hashes;  ///< "images 1234..., model 5678...".
};

/// One class of an evaluation.
struct ClassAp {
  std::int64_t id = 0;
  std::string name;
  std::size_t boxes = 0;
  double ap = 0;    ///< -1 where no box is to be found.
  double ap50 = 0;  ///< The same.
};

/// What an engine executes.
struct ExecutedLayer {
  std::string name;
  std::string kind;
  std::string precision;
  std::string kernel;
  std::vector<std::string> origins;  ///< Graph nodes.
  std::optional<double> ms;
};

/// A row of `yoloq eval`. What older files do not say is empty.
struct EvaluatedModel {
  std::string name;  ///< Of the file if the evaluation says so, else of the model.
  std::string hash;
  std::string precision;
  int layers_int8 = 0;
  int layers_total = 0;
  double ap = 0;
  double ap50 = 0;
  double size_mb = 0;                      ///< 10^6 bytes.
  double p50_ms = 0;                       ///< 0: not measured.
  std::optional<coco::Difference> ap_gap;  ///< To the first model of the evaluation.
  std::optional<coco::Difference> ap50_gap;
  std::vector<ClassAp> classes;
  std::vector<double> precision50;  ///< [101], at recalls 0, .01, ..., 1; AP50's curve.
  std::vector<double> precision75;
  std::optional<coco::ErrorSplit> errors;
  std::vector<ExecutedLayer> executed;
  std::vector<std::string> notices;
  std::optional<std::vector<coco::Detection>> detections;
};

/// A file of `yoloq eval`.
struct Evaluation {
  std::string file;
  std::vector<EvaluatedModel> models;  ///< Others are compared with the first.
  std::size_t images = 0;
  std::string ground_truth;
  std::map<std::int64_t, std::filesystem::path> image_files;  ///< By id; with --run.
};

/// A file of `yoloq quantize`.
struct Quantization {
  std::string output;  ///< Name of the model file that it wrote.
  std::string hash;    ///< Of that file; empty if not said.
  std::string calibrator;
  std::string target;
  int layers_int8 = 0;
  int layers_total = 0;
};

/// A model of `yoloq bench`.
struct BenchedModel {
  std::string name;
  std::string precision;
  double p50_ms = 0;
  double p90_ms = 0;
  double images_per_second = 0;
  std::string engine;
};

/// Two models in interleaved runs: how many times as fast the second is.
struct SpeedRatio {
  std::string first;
  std::string second;
  double ratio = 0;
  double cpu_ratio = 0;
};

/// A model that `yoloq search` tried.
struct Candidate {
  std::string name;
  double ap = 0;  ///< On the images that the search looked at.
  double latency_ms = 0;
  bool on_front = false;
  std::optional<double> final_ap;                ///< On images that it did not look at.
  std::optional<coco::Difference> final_change;  ///< There, to the float model.
  /// 100 less the search's loss, in percent: how well predictions stay those of the float model.
  /// With latency what the front is of; none in files that do not say.
  std::optional<double> agreement;
};

/// A file of `yoloq search`.
struct Search {
  std::string file;
  std::string model;
  std::vector<Candidate> candidates;
};

/// An epoch of training, by the names of results.csv; what it lacks or could not measure is NaN.
struct TrainedEpoch {
  double epoch = 0;
  std::array<double, 3> train_loss = {};  ///< Box, objectness, classes.
  std::array<double, 3> val_loss = {};
  double precision = 0;
  double recall = 0;
  double ap50 = 0;
  double ap = 0;
  std::array<double, 3> learning_rates = {};  ///< Of the optimizer's three groups.
};

/// A results.csv of `yoloq train`, `yoloq qat` or Ultralytics' train.py.
struct Training {
  std::string file;
  std::vector<TrainedEpoch> epochs;  ///< At least one.
};

/// A file that is only named: its bytes say nothing more to a report.
struct OtherFile {
  std::string file;
  std::uintmax_t bytes = 0;
  std::string hash;
};

template <typename T>
struct Named {
  std::string file;  ///< Its name in the folder.
  T value;
};

/// All that a run folder holds, each kind in the order of the files' names.
struct RunFolder {
  std::filesystem::path folder;
  std::vector<Origin> origins;
  std::vector<Evaluation> evaluations;
  std::vector<Quantization> quantizations;
  std::vector<BenchedModel> benched;
  std::vector<SpeedRatio> ratios;
  std::vector<Search> searches;
  std::vector<Training> trainings;
  std::vector<Named<sensitivity::Profile>> profiles;
  std::vector<Named<calibrate::Ranges>> ranges;
  std::vector<Named<quantize::Plan>> plans;
  std::vector<OtherFile> models;     ///< ONNX files.
  std::vector<std::string> unknown;  ///< Files of no kind that a report can use.

  /// The evaluation that says most: of most models with detections, then of most models.
  const Evaluation* main_evaluation() const;
};

/// Reads what the commands wrote into a folder. Files are recognised by what they hold, not by
/// their names; folders in it are not looked into.
///
/// @throws Error(not_found) if there is no such folder, or nothing in it that a report can show;
///     Error(corrupt_file) naming the file that is broken.
RunFolder read_run(const std::filesystem::path& folder);

}  // namespace yoloq::report
