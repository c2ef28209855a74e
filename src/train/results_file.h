// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

namespace yoloq::train {

/// What is written of one epoch of training.
struct EpochResults {
  int epoch = 0;                              ///< From 0.
  std::array<double, 3> train_loss = {};      ///< Box, objectness, classes: means of the batches.
  double precision = 0;                       ///< Where F1 is highest, mean of the classes.
  double recall = 0;                          ///< There too.
  double map50 = 0;                           ///< AP at IoU 0.5.
  double map = 0;                             ///< AP at IoU 0.5 to 0.95.
  std::array<double, 3> val_loss = {};        ///< As train_loss.
  std::array<double, 3> learning_rates = {};  ///< Biases, weights of convolutions, weights of
                                              ///< normalizations: in the optimizer's order.

  /// The numbers behind the epoch, in the order of kResultColumns.
  std::array<double, 13> values() const;
};

/// Names of EpochResults::values(), in results.csv and in TensorBoard.
///
/// Source: Loggers of Ultralytics' utils/loggers/__init__.py, v6.0 to v7.0.
inline constexpr std::array<std::string_view, 13> kResultColumns{"train/box_loss",
                                                                 "train/obj_loss",
                                                                 "train/cls_loss",
                                                                 "metrics/precision",
                                                                 "metrics/recall",
                                                                 "metrics/mAP_0.5",
                                                                 "metrics/mAP_0.5:0.95",
                                                                 "val/box_loss",
                                                                 "val/obj_loss",
                                                                 "val/cls_loss",
                                                                 "x/lr0",
                                                                 "x/lr1",
                                                                 "x/lr2"};

/// Adds a line to results.csv, after a header if there is no such file: bytes and columns are those
/// of Ultralytics, so that scripts which read their file read this one.
///
/// @throws Error(io) if the file cannot be written.
void append_results(const std::filesystem::path& path, const EpochResults& results);

/// Takes out the epochs from `first_epoch` on, which a training that goes on from a checkpoint will
/// do again; and a last line that was cut off. Nothing happens if there is no file.
///
/// @throws Error(corrupt_file) naming the line if it is no results.csv, Error(io).
void truncate_results(const std::filesystem::path& path, int first_epoch);

}  // namespace yoloq::train
