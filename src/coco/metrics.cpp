// SPDX-License-Identifier: Apache-2.0
#include "coco/metrics.h"

namespace yoloq::coco {

Curves::Curves(std::size_t categories)
    : precision_(categories * kSettings * kRecalls, -1.0), recall_(categories * kSettings, -1.0) {}

std::size_t Curves::index_of(const Setting& setting) {
  const std::size_t plane = setting.category * kAreas + setting.area;
  return (plane * kDetectionLimits + setting.limit) * kThresholds + setting.threshold;
}

std::span<const double, kRecalls> Curves::precision(const Setting& setting) const {
  return std::span(precision_).subspan(index_of(setting) * kRecalls).first<kRecalls>();
}

std::span<double, kRecalls> Curves::precision(const Setting& setting) {
  return std::span(precision_).subspan(index_of(setting) * kRecalls).first<kRecalls>();
}

}  // namespace yoloq::coco
