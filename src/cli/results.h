// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coco/bootstrap.h"
#include "coco/metrics.h"
#include "coco/tide.h"
#include "detect/head.h"
#include "pipeline/ground_truth.h"
#include "pipeline/model.h"
#include "runtime/engine.h"
#include "runtime/verify.h"

/// @file
/// How results of evaluation are printed and written. Keys of JSON are stable.

namespace yoloq::cli {

/// One evaluated model.
struct EvalRow {
  std::string model;
  std::filesystem::path file;
  std::string hash;  ///< pipeline::hash_of_file().
  std::string precision;
  pipeline::LayerCount layers;
  double size_mb = 0;  ///< 10^6 bytes.
  coco::Metrics metrics;
  std::size_t images = 0;
  double images_per_second = 0;
  double latency_p50_ms = 0;  ///< Per image; 0: not measured.
  double latency_p90_ms = 0;
  std::vector<std::string> skipped;
  std::vector<std::string> notices;
  std::string ground_truth;
  std::string engine;
  std::optional<coco::ApDifference> difference;  ///< To the first model.
  std::optional<coco::ErrorSplit> errors;
  std::string detections;                    ///< Name of the file beside the JSON; empty: none.
  std::vector<runtime::LayerInfo> executed;  ///< With times; empty: not looked at.
};

/// The table of models, then notices, each once.
void print_eval(std::span<const EvalRow> rows, bool per_class);

/// One object for one model; for several {"models": [...]} with the first one's keys at the top.
nlohmann::ordered_json eval_json(std::span<const EvalRow> rows);

/// What fixing each kind of error would give.
void print_errors(const coco::ErrorSplit& split);
nlohmann::ordered_json errors_json(const coco::ErrorSplit& split);

/// One line each.
void print_notices(std::span<const std::string> notices);

/// The notices of a ground truth, and which class a model calls otherwise than the data set.
void print_notices(const pipeline::GroundTruth& truth, const detect::Head& head,
                   std::span<const std::string> class_names);

/// How near an engine is to the float model and to the literal execution of its file, a line per
/// output.
void print_checks(std::span<const runtime::OutputCheck> checks);
nlohmann::ordered_json checks_json(std::span<const runtime::OutputCheck> checks);

/// The twelve figures.
void print_figures(const coco::Metrics& metrics, bool per_class);
nlohmann::ordered_json figures_json(const coco::Metrics& metrics);

}  // namespace yoloq::cli
