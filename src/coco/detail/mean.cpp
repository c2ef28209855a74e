// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/mean.h"

#include <array>
#include <cstddef>

namespace yoloq::coco::detail {

namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = 128;

double sum(std::span<const double> values) {
  if (values.size() < kLanes) {
    double total = 0.0;
    for (const double value : values) total += value;
    return total;
  }
  if (values.size() > kBlock) {
    std::size_t half = values.size() / 2;
    half -= half % kLanes;
    return sum(values.first(half)) + sum(values.subspan(half));
  }
  std::array<double, kLanes> lane{};
  for (std::size_t j = 0; j < kLanes; ++j) lane[j] = values[j];
  std::size_t i = kLanes;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lane[j] += values[i + j];
  }
  double total =
      ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  for (; i < values.size(); ++i) total += values[i];
  return total;
}

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return -1.0;
  return sum(values) / static_cast<double>(values.size());
}

}  // namespace yoloq::coco::detail
