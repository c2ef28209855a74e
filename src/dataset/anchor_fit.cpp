// SPDX-License-Identifier: Apache-2.0
#include "dataset/anchor_fit.h"

#include <algorithm>

#include "core/error.h"

namespace yoloq::dataset {

namespace {

/// The smaller side divided by the larger one, of the dimension in which they differ more: 1 is
/// equal, 0 is a box without area.
float likeness(const Sides& box, const Sides& anchor) {
  float least = 1;
  for (std::size_t side = 0; side < 2; ++side) {
    const float ratio = box[side] / anchor[side];
    least = std::min({least, ratio, 1.0f / ratio});
  }
  return least;
}

void check_anchors(std::span<const Sides> anchors, double largest_ratio) {
  if (anchors.empty()) fail(ErrorCode::bad_argument, "anchors: there are none to compare with");
  if (!(largest_ratio > 1)) {
    fail(ErrorCode::bad_argument,
         "anchors: they cannot differ by a factor of {} (anchor_t); it must be above 1",
         largest_ratio);
  }
  for (const auto& [width, height] : anchors) {
    if (!(width > 0 && height > 0)) {
      fail(ErrorCode::bad_argument, "anchors: one of {} x {} pixels; sides must be positive", width,
           height);
    }
  }
}

void check_side(int image_side_px) {
  if (image_side_px >= 1) return;
  fail(ErrorCode::bad_argument, "anchors: images of {} pixels; expected at least 1", image_side_px);
}

}  // namespace

std::vector<Sides> box_sides(const GroundTruth& truth, int image_side_px) {
  check_side(image_side_px);
  std::vector<Sides> sides;
  sides.reserve(truth.boxes.size());
  for (const TruthBox& box : truth.boxes) {
    const vision::Size& size = truth.sizes.at(box.image);
    const double scale = static_cast<double>(image_side_px) / std::max(size.width, size.height);
    sides.push_back(
        {static_cast<float>(box.width * scale), static_cast<float>(box.height * scale)});
  }
  return sides;
}

std::vector<Sides> box_sides(const LabelIndex& index, int image_side_px) {
  check_side(image_side_px);
  std::vector<Sides> sides;
  sides.reserve(index.labels.size());
  for (std::size_t image = 0; image < index.sizes.size(); ++image) {
    const vision::Size& size = index.sizes[image];
    const double scale = static_cast<double>(image_side_px) / std::max(size.width, size.height);
    for (const TrainingLabel& label : index.labels_of(image)) {
      sides.push_back({static_cast<float>(label.width * size.width * scale),
                       static_cast<float>(label.height * size.height * scale)});
    }
  }
  return sides;
}

AnchorFit fit_anchors(std::span<const Sides> boxes, std::span<const Sides> anchors,
                      double largest_ratio) {
  check_anchors(anchors, largest_ratio);
  if (boxes.empty()) {
    fail(ErrorCode::bad_argument, "anchors: the data set has no boxes to compare them with");
  }
  const auto least = static_cast<float>(1 / largest_ratio);
  std::size_t reached = 0, matches = 0;
  for (const Sides& box : boxes) {
    const auto count = static_cast<std::size_t>(std::ranges::count_if(
        anchors, [&](const Sides& anchor) { return likeness(box, anchor) > least; }));
    matches += count;
    if (count > 0) ++reached;
  }
  const auto total = static_cast<double>(boxes.size());
  return {.best_possible_recall = static_cast<double>(reached) / total,
          .anchors_per_box = static_cast<double>(matches) / total,
          .boxes = boxes.size()};
}

}  // namespace yoloq::dataset
