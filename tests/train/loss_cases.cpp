// SPDX-License-Identifier: Apache-2.0
#include "train/loss_cases.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/file.h"

namespace yoloq::train::test {

namespace {

using nlohmann::json;

const std::vector<std::vector<model::Anchor>> kAnchors{
    {{10, 13}, {16, 30}, {33, 23}},
    {{30, 61}, {62, 45}, {59, 119}},
    {{116, 90}, {156, 198}, {373, 326}},
    {{436, 615}, {739, 380}, {925, 792}},
};

LossOptions options_of(const json& entry) {
  const json& hyp = entry["hyp"];
  LossOptions options{.box = hyp["box"],
                      .cls = hyp["cls"],
                      .obj = hyp["obj"],
                      .cls_pw = hyp["cls_pw"],
                      .obj_pw = hyp["obj_pw"],
                      .fl_gamma = hyp["fl_gamma"],
                      .anchor_t = hyp["anchor_t"],
                      .label_smoothing = hyp["label_smoothing"]};
  for (std::size_t level = 0; level < entry["levels"].get<std::size_t>(); ++level) {
    options.anchors.push_back(kAnchors.at(level));
    options.strides.push_back(8 << level);
  }
  return options;
}

std::vector<FieldFacts> facts_of(const json& gradient) {
  std::vector<FieldFacts> facts;
  for (const json& field : gradient) {
    facts.push_back({.magnitude = field[0],
                     .weighted = field[1],
                     .places = {field[2], field[4]},
                     .largest_values = {field[3], field[5]}});
  }
  return facts;
}

LossCase case_of(const json& entry) {
  LossCase loss_case{.name = entry["name"],
                     .class_count = entry["nc"],
                     .label_count = entry["labels"],
                     .kind = entry["kind"],
                     .batch = entry["batch"],
                     .height = entry["height"],
                     .width = entry["width"],
                     .options = options_of(entry),
                     .total = entry["total"],
                     .parts = entry["parts"]};
  for (const json& gradient : entry["gradients"]) {
    loss_case.gradients.push_back(facts_of(gradient));
  }
  return loss_case;
}

}  // namespace

void PrintTo(const LossCase& loss_case, std::ostream* stream) { *stream << loss_case.name; }

std::vector<LossCase> loss_cases() {
  const json entries =
      json::parse(read_file(std::string(YOLOQ_SOURCE_DIR) + "/tests/train/loss_cases.json"));
  std::vector<LossCase> cases;
  for (const json& entry : entries) cases.push_back(case_of(entry));
  return cases;
}

std::vector<double> noise(std::size_t count, std::uint32_t salt) {
  std::vector<double> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t word = static_cast<std::uint32_t>(i) * 2654435761u + salt * 40503u + 12345u;
    word ^= word >> 15;
    word *= 2246822519u;
    word ^= word >> 13;
    word *= 3266489917u;
    values.push_back((word >> 8) / 16777216.0);
  }
  return values;
}

std::vector<float> LossCase::labels() const {
  std::vector<double> values = noise(label_count * 6, 1);
  for (std::size_t i = 0; i < values.size(); i += 6) {
    double* const u = &values[i];
    u[0] = std::floor(u[0] * static_cast<double>(batch));
    u[1] = std::floor(u[1] * static_cast<double>(class_count));
    for (const std::size_t side : {4, 5}) {
      u[side] = kind == "specks" ? 0.002 : 0.05 + 0.75 * (u[side] * u[side]);
    }
    for (const std::size_t centre : {2, 3}) {
      if (kind == "crowd") u[centre] = 0.4 + 0.125 * u[centre];
      if (kind == "edge") u[centre] = std::floor(u[centre] * 25) / 24;
    }
  }
  return {values.begin(), values.end()};
}

std::vector<std::int64_t> LossCase::head_shape(std::size_t level) const {
  const std::int64_t stride = options.strides.at(level);
  return {batch, 3 * (5 + class_count), height / stride, width / stride};
}

std::vector<float> LossCase::head(std::size_t level) const {
  std::size_t count = 1;
  for (const std::int64_t size : head_shape(level)) count *= static_cast<std::size_t>(size);
  std::vector<float> logits;
  logits.reserve(count);
  for (const double value : noise(count, 100 + static_cast<std::uint32_t>(level))) {
    logits.push_back(static_cast<float>((value - 0.5) * 8));
  }
  return logits;
}

}  // namespace yoloq::train::test
