// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/tiny_subject.h"

#include <algorithm>

#include "pipeline/calm_model.h"
#include "pipeline/evaluation.h"
#include "pipeline/quantization.h"
#include "support/tiny_checkpoint.h"

namespace yoloq::test {

namespace {

constexpr vision::Size kSize{64, 64};
constexpr float kSure = 0.5f;
constexpr float kRuin = 1000;  // Times coarser.

/// What the float model is sure of, as ground truth.
pipeline::GroundTruth own_findings(const TinySubject& tiny) {
  const pipeline::Detector detector{
      .engine = runtime::compile(tiny.model.fixed), .head = tiny.model.head, .size = kSize};
  const auto found = pipeline::find_objects(detector, tiny.images, {.confidence = kSure});
  pipeline::GroundTruth truth{.source = "the model itself"};
  for (std::int64_t c = 1; c <= tiny.model.head.class_count; ++c) {
    truth.annotations.categories.push_back({.id = c, .name = "class " + std::to_string(c - 1)});
    truth.category_ids.push_back(c);
  }
  for (std::size_t i = 0; i < tiny.images.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i) + 1;
    truth.image_ids.push_back(id);
    truth.annotations.images.push_back({.id = id});
  }
  for (const coco::Detection& row : pipeline::to_coco(found.boxes, truth)) {
    truth.annotations.boxes.push_back({.id = std::ssize(truth.annotations.boxes) + 1,
                                       .image_id = row.image_id,
                                       .category_id = row.category_id,
                                       .bbox = row.bbox,
                                       .area = row.bbox[2] * row.bbox[3]});
  }
  return truth;
}

}  // namespace

TinySubject::TinySubject() : set(write_tiny_data_set(folder.path(), 6, 1)), images(set.train) {
  write_checkpoint(calm_model(), folder / "tiny.pt", {.dtype = DType::f32});
  model = pipeline::load_model(folder / "tiny.pt", {.size = kSize});
  plan = pipeline::quantize_model(model, images,
                                  {.images = 6, .tune_weights = false, .bias_correction = false})
             .plan;
  truth = own_findings(*this);
}

void TinySubject::ruin(const std::string& layer) {
  for (quantize::ActivationPlan& activation : plan.activations) {
    if (std::ranges::find(activation.readers, layer + ":0") == activation.readers.end()) continue;
    quantize::ActivationPlan coarse = activation;
    std::erase(activation.readers, layer + ":0");
    coarse.readers = {layer + ":0"};
    coarse.quantizer.scale *= kRuin;
    plan.activations.push_back(coarse);
    return;
  }
}

}  // namespace yoloq::test
