// SPDX-License-Identifier: Apache-2.0
#include "train/detail/loss.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "train/detail/complete_iou.h"
#include "train/detail/match_labels.h"
#include "train/detail/read_head.h"

namespace yoloq::train::detail {

namespace {

using std::int64_t;

constexpr int64_t kBoxFields = 5;  // x, y, width, height, objectness.
constexpr std::array<double, 3> kBalanceOfThree{4.0, 1.0, 0.4};
constexpr std::array<double, 5> kBalance{4.0, 1.0, 0.25, 0.06, 0.02};

struct HeadShape {
  int64_t images = 0;
  int64_t classes = 0;
};

std::string text_of(at::IntArrayRef sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

/// What all levels agree on.
HeadShape shape_of(std::span<const at::Tensor> heads, const LossOptions& options) {
  const std::size_t levels = heads.size();
  if (levels == 0 || levels > kBalance.size() || options.anchors.size() != levels ||
      options.strides.size() != levels) {
    fail(ErrorCode::bad_argument,
         "loss: {} heads, anchors of {} levels and {} strides; expected the same number, 1 to {}",
         levels, options.anchors.size(), options.strides.size(), kBalance.size());
  }
  HeadShape shape;
  for (std::size_t i = 0; i < levels; ++i) {
    const at::Tensor& head = heads[i];
    const auto anchors = static_cast<int64_t>(options.anchors[i].size());
    const bool fits = head.dim() == 4 && head.is_floating_point() && anchors > 0 &&
                      head.size(1) % anchors == 0 && head.size(1) / anchors > kBoxFields;
    const HeadShape own =
        fits ? HeadShape{head.size(0), head.size(1) / anchors - kBoxFields} : HeadShape{};
    if (i == 0) shape = own;
    if (!fits || own.images != shape.images || own.classes != shape.classes) {
      fail(ErrorCode::bad_argument,
           "loss: head {} is {} of {}; expected real numbers [N, {} * (5 + classes), H, W] with "
           "batch and classes of head 0, {}",
           i, text_of(head.sizes()), c10::toString(head.scalar_type()), anchors,
           text_of(heads[0].sizes()));
    }
    if (options.strides[i] <= 0) {
      fail(ErrorCode::bad_argument, "loss: the stride of level {} is {}; expected pixels per cell",
           i, options.strides[i]);
    }
  }
  return shape;
}

std::vector<ImageLabel> labels_of(const at::Tensor& labels, const HeadShape& shape) {
  if (labels.dim() != 2 || labels.size(1) != 6) {
    fail(ErrorCode::bad_argument, "loss: labels are {}; expected [M, 6]: image, class, x, y, w, h",
         text_of(labels.sizes()));
  }
  const at::Tensor values = labels.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* at = values.const_data_ptr<float>();
  std::vector<ImageLabel> rows;
  rows.reserve(static_cast<std::size_t>(values.size(0)));
  for (int64_t i = 0; i < values.size(0); ++i, at += 6) {
    const bool finite = std::isfinite(at[2] + at[3] + at[4] + at[5]);
    const bool image = at[0] >= 0 && at[0] < static_cast<float>(shape.images);
    const bool known = at[1] >= 0 && at[1] < static_cast<float>(shape.classes);
    if (!finite || !image || !known) {
      fail(ErrorCode::bad_argument,
           "loss: label {} is image {}, class {}, box {} {} {} {}; expected an image below {}, a "
           "class below {} and finite numbers",
           i, at[0], at[1], at[2], at[3], at[4], at[5], shape.images, shape.classes);
    }
    rows.push_back(
        {static_cast<int64_t>(at[0]), static_cast<int64_t>(at[1]), at[2], at[3], at[4], at[5]});
  }
  return rows;
}

Level level_of(const at::Tensor& head, const std::vector<model::Anchor>& anchors, int stride) {
  Level level{.rows = head.size(2), .columns = head.size(3)};
  const auto pixels = static_cast<float>(stride);
  for (const auto& [width, height] : anchors) {
    level.anchors.push_back({width / pixels, height / pixels});
  }
  return level;
}

/// This rank's part of the mean of the cross entropy, as focal loss if gamma is not 0.
///
/// Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, with alpha 0.25.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, double positive_weight,
                         double gamma, double share) {
  at::Tensor weight;
  if (positive_weight != 1.0) weight = at::full({1}, positive_weight, logits.options());
  const at::Tensor each =
      at::binary_cross_entropy_with_logits(logits, target, {}, weight, at::Reduction::None);
  if (gamma <= 0) return shared_mean(each, share);

  constexpr double kAlpha = 0.25;
  const at::Tensor probability = logits.sigmoid();
  const at::Tensor of_truth = target * probability + (1 - target) * (1 - probability);
  const at::Tensor alpha = target * kAlpha + (1 - target) * (1 - kAlpha);
  return shared_mean(each * (alpha * (1 - of_truth).pow(gamma)), share);
}

/// One level's parts without gains; undefined if there is nothing to learn.
struct LevelLoss {
  at::Tensor box;
  at::Tensor objectness;
  at::Tensor classes;
};

at::Tensor integers(const std::vector<int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

/// [n, width]
at::Tensor reals(const std::vector<float>& values, int64_t width, at::Device device) {
  return at::tensor(values, at::kFloat).view({-1, width}).to(device);
}

/// What a level predicts for its targets, [n, 4], in cells from the targets' cells.
at::Tensor predicted_boxes(const at::Tensor& predicted, const at::Tensor& anchor_sides) {
  const at::Tensor centre = predicted.narrow(1, 0, 2).sigmoid() * 2 - 0.5;
  const at::Tensor sides = (predicted.narrow(1, 2, 2).sigmoid() * 2).square() * anchor_sides;
  return at::cat({centre, sides}, 1);
}

at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& classes,
                      const LossOptions& options, double share) {
  const double absent = 0.5 * options.label_smoothing;
  const at::Tensor target =
      at::full_like(logits, absent).scatter_(1, classes.unsqueeze(1), 1.0 - absent);
  return cross_entropy(logits, target, options.cls_pw, options.fl_gamma, share);
}

/// What this rank has of all ranks' images, and so of their cells, and of a level's targets.
struct Shares {
  double images = 1;
  double targets = 1;
};

LevelLoss level_loss(const at::Tensor& head, const LevelTargets& targets, const Level& level,
                     const LossOptions& options, const Shares& shares) {
  const at::Device device = head.device();
  const at::Tensor cells = integers(targets.cells, device);
  const HeadReading read = read_head(head, static_cast<int64_t>(level.anchors.size()), cells);
  at::Tensor expected = at::zeros_like(read.objectness);
  LevelLoss loss;
  if (targets.size() > 0) {
    const at::Tensor boxes = predicted_boxes(read.rows, reals(targets.anchor_sides, 2, device));
    const at::Tensor iou = complete_iou(boxes, reals(targets.boxes, 4, device));
    loss.box = shared_mean(1.0 - iou, shares.targets);

    const at::Tensor last = integers(targets.last, device);
    expected.view(-1).index_put_({cells.index_select(0, last)},
                                 iou.detach().clamp_min(0).index_select(0, last));
    const int64_t classes = read.rows.size(1) - kBoxFields;
    if (classes > 1) {
      loss.classes = class_loss(read.rows.narrow(1, kBoxFields, classes),
                                integers(targets.classes, device), options, shares.targets);
    }
  }
  loss.objectness =
      cross_entropy(read.objectness, expected, options.obj_pw, options.fl_gamma, shares.images);
  return loss;
}

}  // namespace

double level_balance(std::size_t level, std::size_t levels) {
  if (levels == 3) return kBalanceOfThree.at(level);
  return kBalance.at(std::min(level, kBalance.size() - 1));
}

LossResult compute_loss(std::span<const at::Tensor> heads, const at::Tensor& labels,
                        const LossOptions& options, const SumOverRanks& sum) {
  const HeadShape shape = shape_of(heads, options);
  const std::vector<ImageLabel> rows = labels_of(labels, shape);
  const auto zero = [&] { return at::zeros({}, heads[0].options().dtype(at::kFloat)); };
  at::Tensor box = zero(), objectness = zero(), classes = zero();
  std::vector<Level> levels;
  std::vector<LevelTargets> targets;
  std::vector<double> counts{static_cast<double>(shape.images)};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    levels.push_back(level_of(heads[i], options.anchors[i], options.strides[i]));
    targets.push_back(match_labels(rows, levels[i], static_cast<float>(options.anchor_t)));
    counts.push_back(static_cast<double>(targets[i].size()));
  }
  const std::vector<double> all = sum ? sum(counts) : counts;
  const std::vector<double> shares = shares_of(counts, all);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const LevelLoss loss =
        level_loss(heads[i], targets[i], levels[i], options, {shares[0], shares[i + 1]});
    objectness = objectness + loss.objectness * level_balance(i, heads.size());
    if (loss.box.defined()) box = box + loss.box;
    if (loss.classes.defined()) classes = classes + loss.classes;
  }
  const at::Tensor parts =
      at::stack({box * options.box, objectness * options.obj, classes * options.cls});
  return {.total = parts.sum() * all.front(), .parts = parts.detach()};
}

}  // namespace yoloq::train::detail
