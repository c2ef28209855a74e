// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/document.h"
#include "report/run.h"

namespace yoloq::report {

/// The report on a run, all parts in the order of the table in sections.cpp. A part whose files are
/// not in the folder says so and what to run.
Document make_document(const RunFolder& run);

/// mAP, size and latency of each model, with differences and their intervals.
Section results_section(const RunFolder& run);

/// Latency and throughput of `yoloq bench`.
Section speed_section(const RunFolder& run);

/// AP against latency: the candidates of a search, else the evaluated models.
Section front_section(const RunFolder& run);

/// Losses, accuracy and learning rates over the epochs of a training.
Section training_section(const RunFolder& run);

/// What quantizing each layer costs, most sensitive first.
Section sensitivity_section(const RunFolder& run);

/// Histograms of activations with the thresholds that were chosen, of the most sensitive layers.
Section ranges_section(const RunFolder& run);

/// The change of AP per class.
Section classes_section(const RunFolder& run);

/// Precision over recall of each model.
Section curves_section(const RunFolder& run);

/// What AP50 would gain if each kind of error were fixed.
Section errors_section(const RunFolder& run);

/// How scores of the same objects differ between models.
Section shift_section(const RunFolder& run);

/// Images whose detections changed most, with the boxes of both models.
Section changes_section(const RunFolder& run);

/// What the engines execute, with precision and time.
Section layers_section(const RunFolder& run);

/// Which files the report was made from, and where they come from.
Section provenance_section(const RunFolder& run);

}  // namespace yoloq::report
