// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "coco/protocol.h"
#include "report/detail/fields.h"
#include "report/detail/readers.h"

namespace yoloq::report::detail {

namespace fs = std::filesystem;

namespace {

/// -1 stands for "no box to be found" in figures of COCO.
double figure(const Json& json, const char* key) { return field<double>(json, key); }

coco::Difference gap_of(const Json& json, const char* key) {
  const Json gap = object(json, key);
  return {.value = field<double>(gap, "value"),
          .interval = {.low = field<double>(gap, "low"), .high = field<double>(gap, "high")}};
}

coco::ErrorSplit errors_of(const Json& json) {
  coco::ErrorSplit split{.ap50 = field<double>(json, "AP50")};
  for (std::size_t i = 0; i < split.shares.size(); ++i) {
    const Json share = object(json, std::string(coco::kErrorNames[i]).c_str());
    split.shares[i] = {.gain = field<double>(share, "gain"),
                       .count = field<std::size_t>(share, "count")};
  }
  return split;
}

std::vector<double> curve_of(const Json& json, const char* key) {
  auto curve = field<std::vector<double>>(json, key);
  if (!curve.empty() && curve.size() != coco::kRecalls) {
    fail(ErrorCode::corrupt_file, "its curve '{}' has {} values, expected {}", key, curve.size(),
         coco::kRecalls);
  }
  return curve;
}

ExecutedLayer layer_of(const Json& row) {
  ExecutedLayer layer{.name = field<std::string>(row, "name"),
                      .kind = field<std::string>(row, "kind"),
                      .precision = field<std::string>(row, "precision"),
                      .kernel = field_or<std::string>(row, "kernel", ""),
                      .origins = field_or<std::vector<std::string>>(row, "origins", {})};
  if (row.contains("ms")) layer.ms = field<double>(row, "ms");
  return layer;
}

/// The detections of a model: of the file that it names, else of one that is named after it.
std::optional<std::vector<coco::Detection>> detections_of(const Json& row, const fs::path& folder) {
  const auto named = field_or<std::string>(row, "detections", "");
  const fs::path file =
      folder / (named.empty() ? field<std::string>(row, "model") + ".detections.json" : named);
  if (!fs::exists(file)) return std::nullopt;
  try {
    return coco::read_detections(file);
  } catch (const Error& error) {
    throw error.within(file.string());
  }
}

EvaluatedModel model_of(const Json& row, const fs::path& folder) {
  EvaluatedModel model{.name = field<std::string>(row, "model"),
                       .hash = field_or<std::string>(row, "hash", ""),
                       .precision = field_or<std::string>(row, "precision", ""),
                       .layers_int8 = field_or(row, "layers_int8", 0),
                       .layers_total = field_or(row, "layers_total", 0),
                       .ap = figure(row, "AP"),
                       .ap50 = figure(row, "AP50"),
                       .size_mb = field_or(row, "size_mb", 0.0),
                       .notices = field_or<std::vector<std::string>>(row, "notices", {})};
  const fs::path file = field_or<std::string>(row, "file", "");
  if (!file.empty()) model.name = file.filename().string();
  if (row.contains("latency_ms")) model.p50_ms = field<double>(object(row, "latency_ms"), "p50");
  if (row.contains("difference")) {
    const Json difference = object(row, "difference");
    model.ap_gap = gap_of(difference, "AP");
    model.ap50_gap = gap_of(difference, "AP50");
  }
  for (const Json& each : objects(row, "classes")) {
    model.classes.push_back({.id = field<std::int64_t>(each, "id"),
                             .name = field<std::string>(each, "name"),
                             .boxes = field<std::size_t>(each, "boxes"),
                             .ap = figure(each, "AP"),
                             .ap50 = figure(each, "AP50")});
  }
  if (row.contains("precision_at_recall")) {
    const Json curves = object(row, "precision_at_recall");
    model.precision50 = curve_of(curves, "AP50");
    model.precision75 = curve_of(curves, "AP75");
  }
  if (row.contains("errors")) model.errors = errors_of(object(row, "errors"));
  for (const Json& each : objects(row, "executed")) model.executed.push_back(layer_of(each));
  model.detections = detections_of(row, folder);
  return model;
}

}  // namespace

bool is_evaluation(const Json& json) {
  return json.contains("AP") && json.contains("ground_truth") && json.contains("model");
}

void read_evaluation(const Source& source, RunFolder& run) {
  const Json& json = source.json;
  Evaluation evaluation{.file = source.path.filename().string(),
                        .images = field_or<std::size_t>(json, "images", 0),
                        .ground_truth = field<std::string>(json, "ground_truth")};
  const fs::path folder = source.path.parent_path();
  for (const Json& row : objects(json, "models")) {
    evaluation.models.push_back(model_of(row, folder));
  }
  if (evaluation.models.empty()) evaluation.models.push_back(model_of(json, folder));
  for (const Json& row : objects(json, "image_files")) {
    evaluation.image_files[field<std::int64_t>(row, "id")] = field<std::string>(row, "file");
  }
  Origin origin = origin_of(source, "evaluation");
  for (const EvaluatedModel& model : evaluation.models) {
    if (!model.hash.empty()) origin.hashes += ", " + model.name + " " + model.hash;
  }
  if (origin.hashes.starts_with(", ")) origin.hashes.erase(0, 2);
  run.origins.push_back(std::move(origin));
  run.evaluations.push_back(std::move(evaluation));
}

}  // namespace yoloq::report::detail
