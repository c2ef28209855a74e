// SPDX-License-Identifier: Apache-2.0
#include "pipeline/evaluation.h"

#include <cmath>

#include "detect/decode.h"
#include "detect/suppress.h"
#include "pipeline/image_stream.h"
#include "vision/letterbox.h"

namespace yoloq::pipeline {

namespace {

/// The outputs of the head as the detect module takes them.
std::vector<detect::HeadOutput> head_outputs(const detect::Head& head, runtime::Request& request) {
  std::vector<detect::HeadOutput> outputs;
  for (const std::size_t index : head.indices) {
    const runtime::TensorView view = request.output(index);
    outputs.push_back({.shape = view.shape, .values = view.values<float>()});
  }
  return outputs;
}

detect::Boxes boxes_of(const Detector& detector, const DetectOptions& options,
                       std::span<const detect::HeadOutput> outputs, const Item& item) {
  auto candidates = detect::decode(
      detector.head, {.outputs = outputs, .image = item.slot, .canvas = detector.size},
      {.confidence = options.confidence,
       .multi_label = options.multi_label && detector.head.class_count > 1,
       .classes = options.classes});
  detect::Boxes boxes = detect::suppress(std::move(candidates),
                                         {.iou = options.iou, .most_boxes = options.most_boxes});
  for (detect::Box& box : boxes) {
    const auto rect = vision::to_original({box.x1, box.y1, box.x2, box.y2}, item.placement);
    box.x1 = rect.x1;
    box.y1 = rect.y1;
    box.x2 = rect.x2;
    box.y2 = rect.y2;
  }
  return boxes;
}

double rounded(double value, double steps) { return std::nearbyint(value * steps) / steps; }

}  // namespace

Found find_objects(const Detector& detector, std::span<const std::filesystem::path> images,
                   const DetectOptions& options) {
  Found found{.boxes = std::vector<detect::Boxes>(images.size())};
  const StreamOptions stream{.size = detector.size,
                             .batch = detector.batch,
                             .fixed_batch = detector.fixed_batch,
                             .workers = options.workers,
                             .skip_bad = options.skip_bad,
                             .progress = options.progress};
  StreamReport report = stream_images(*detector.engine, images, stream,
                                      [&](std::span<const Item> items, runtime::Request& request) {
                                        const auto outputs = head_outputs(detector.head, request);
                                        for (const Item& item : items) {
                                          found.boxes[item.index] =
                                              boxes_of(detector, options, outputs, item);
                                        }
                                      });
  found.skipped = std::move(report.skipped);
  found.skipped_indices = std::move(report.skipped_indices);
  found.seconds = report.seconds;
  found.images = report.images;
  return found;
}

std::vector<coco::Detection> to_coco(std::span<const detect::Boxes> boxes,
                                     const GroundTruth& truth) {
  std::vector<coco::Detection> detections;
  for (std::size_t image = 0; image < boxes.size(); ++image) {
    for (const detect::Box& box : boxes[image]) {
      const double x = box.x1;
      const double y = box.y1;
      detections.push_back(
          {.image_id = truth.image_ids[image],
           .category_id = truth.category_ids[static_cast<std::size_t>(box.class_index)],
           .bbox = {rounded(x, 1e3), rounded(y, 1e3), rounded(box.x2 - x, 1e3),
                    rounded(box.y2 - y, 1e3)},
           .score = rounded(box.confidence, 1e5)});
    }
  }
  return detections;
}

coco::Metrics evaluate(std::span<const coco::Detection> detections, const GroundTruth& truth) {
  return coco::evaluate(truth.annotations, detections, {.image_ids = truth.image_ids});
}

}  // namespace yoloq::pipeline
