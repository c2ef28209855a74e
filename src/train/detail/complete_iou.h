// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace yoloq::train::detail {

/// Complete IoU of pairs of boxes, [n, 4] each (centre x, y, width, height), as [n], at most 1:
///
///     CIoU = IoU - d^2 / c^2 - alpha v     v = 4 / pi^2 (atan(w2 / h2) - atan(w1 / h1))^2
///                                          alpha = v / (1 - IoU + v)
///
/// d: distance of the centres; c: diagonal of the smallest box around both. Gradients do not flow
/// through alpha.
///
/// Source: Zheng et al., "Distance-IoU Loss", AAAI 2020, section 3.3; the small number added to
/// divisors is that of bbox_iou() of Ultralytics' utils/metrics.py.
at::Tensor complete_iou(const at::Tensor& predicted, const at::Tensor& truth);

}  // namespace yoloq::train::detail
