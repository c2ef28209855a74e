// SPDX-License-Identifier: Apache-2.0
#include "train/detail/complete_iou.h"

#include <ATen/ATen.h>

#include <numbers>
#include <vector>

namespace yoloq::train::detail {

namespace {

constexpr double kEpsilon = 1e-7;

struct Corners {
  at::Tensor left, top, right, bottom;  ///< [n] each.
};

Corners corners_of(const std::vector<at::Tensor>& box) {
  const at::Tensor half_width = box[2] / 2;
  const at::Tensor half_height = box[3] / 2;
  return {box[0] - half_width, box[1] - half_height, box[0] + half_width, box[1] + half_height};
}

at::Tensor overlap(const Corners& a, const Corners& b) {
  return (a.right.minimum(b.right) - a.left.maximum(b.left)).clamp_min(0) *
         (a.bottom.minimum(b.bottom) - a.top.maximum(b.top)).clamp_min(0);
}

/// d^2 / c^2
at::Tensor distance_part(const Corners& a, const Corners& b) {
  const at::Tensor width = a.right.maximum(b.right) - a.left.minimum(b.left);
  const at::Tensor height = a.bottom.maximum(b.bottom) - a.top.minimum(b.top);
  const at::Tensor twice_x = b.left + b.right - a.left - a.right;
  const at::Tensor twice_y = b.top + b.bottom - a.top - a.bottom;
  return (twice_x.square() + twice_y.square()) / 4 / (width.square() + height.square() + kEpsilon);
}

}  // namespace

at::Tensor complete_iou(const at::Tensor& predicted, const at::Tensor& truth) {
  const std::vector<at::Tensor> a = predicted.unbind(1);
  const std::vector<at::Tensor> b = truth.unbind(1);
  const Corners a_corners = corners_of(a);
  const Corners b_corners = corners_of(b);

  const at::Tensor intersection = overlap(a_corners, b_corners);
  const at::Tensor joined = a[2] * a[3] + b[2] * b[3] - intersection + kEpsilon;
  const at::Tensor iou = intersection / joined;

  constexpr double kScale = 4 / (std::numbers::pi * std::numbers::pi);
  const at::Tensor v = ((b[2] / b[3]).atan() - (a[2] / a[3]).atan()).square() * kScale;
  const at::Tensor still = v.detach();
  const at::Tensor alpha = still / (still - iou.detach() + (1 + kEpsilon));
  return iou - (distance_part(a_corners, b_corners) + v * alpha);
}

}  // namespace yoloq::train::detail
