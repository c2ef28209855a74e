// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/labelled_images.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "dataset/images.h"
#include "pipeline/calibration.h"
#include "pipeline/decodable.h"
#include "pipeline/evaluation.h"

namespace yoloq::sensitivity {

namespace {

void leave_out_bad(LabelledImages& found) {
  pipeline::Decodable good = pipeline::decodable(found.images);
  if (good.images.empty()) {
    fail(ErrorCode::not_found, "none of the {} images decodes: {}", found.images.size(),
         good.skipped.front());
  }
  found.images = std::move(good.images);
  found.skipped = std::move(good.skipped);
}

}  // namespace

LabelledImages labelled_images(const dataset::Dataset& dataset,
                               const LabelledImagesOptions& options) {
  const auto all = dataset::list_images(dataset, options.split);
  LabelledImages found{.images = pipeline::pick_images(all, options.count), .truth = {}};
  if (found.images.empty()) {
    fail(ErrorCode::not_found, "the split '{}' of '{}' has no images to measure AP on",
         options.split, dataset.file.string());
  }
  if (options.skip_bad) leave_out_bad(found);
  found.truth = pipeline::find_ground_truth(
      dataset, found.images, {.split = options.split, .annotations = options.annotations});
  const std::set<std::int64_t> ids(found.truth.image_ids.begin(), found.truth.image_ids.end());
  const bool shows_something = std::ranges::any_of(
      found.truth.annotations.boxes,
      [&](const coco::Box& box) { return ids.contains(box.image_id) && !box.is_crowd; });
  if (shows_something) return found;
  fail(ErrorCode::bad_argument,
       "none of the {} images of the split '{}' has a labelled object: AP cannot be measured on "
       "them",
       found.images.size(), options.split);
}

coco::Matches matches_of(const pipeline::DetectionModel& model, const graph::Graph& graph,
                         const LabelledImages& images, const runtime::EngineOptions& engine,
                         const Progress& progress) {
  const pipeline::Detector detector{
      .engine = runtime::compile(pipeline::with_input(graph, 1, model.size), engine),
      .head = model.head,
      .size = model.size};
  const auto found = pipeline::find_objects(detector, images.images, {.progress = progress});
  return coco::match(images.truth.annotations, pipeline::to_coco(found.boxes, images.truth),
                     {.image_ids = images.truth.image_ids});
}

double ap_of(const pipeline::DetectionModel& model, const graph::Graph& graph,
             const LabelledImages& images, const runtime::EngineOptions& engine,
             const Progress& progress) {
  return coco::accumulate(matches_of(model, graph, images, engine, progress))[coco::Figure::ap];
}

}  // namespace yoloq::sensitivity
