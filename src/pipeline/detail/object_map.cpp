// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/object_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace yoloq::pipeline::detail {

namespace {

constexpr std::int64_t kObjectness = 4;  // Behind x, y, w, h.

/// The index on an axis of `to` cells that `index` of `from` cells falls on.
std::int64_t scaled(std::int64_t index, std::int64_t from, std::int64_t to) {
  return std::min(index * to / from, to - 1);
}

}  // namespace

ObjectMap::ObjectMap(std::span<const HeadLogits> heads) {
  for (const HeadLogits& head : heads) {
    height_ = std::max(height_, head.height);
    width_ = std::max(width_, head.width);
  }
  logits_.assign(static_cast<std::size_t>(height_ * width_),
                 -std::numeric_limits<float>::infinity());
  for (const HeadLogits& head : heads) {
    for (std::int64_t anchor = 0; anchor < head.anchors; ++anchor) {
      const std::int64_t channel = anchor * (5 + head.classes) + kObjectness;
      const float* plane = head.values.data() + channel * head.height * head.width;
      for (std::int64_t y = 0; y < height_; ++y) {
        const float* row = plane + scaled(y, height_, head.height) * head.width;
        for (std::int64_t x = 0; x < width_; ++x) {
          float& cell = logits_[static_cast<std::size_t>(y * width_ + x)];
          cell = std::max(cell, row[scaled(x, width_, head.width)]);
        }
      }
    }
  }
}

std::vector<std::uint32_t> ObjectMap::places(std::int64_t height, std::int64_t width,
                                             float threshold) const {
  const float least = std::log(threshold / (1 - threshold));
  std::vector<char> inside(static_cast<std::size_t>(height * width), 0);
  const std::int64_t rows = std::max(height, height_);
  const std::int64_t columns = std::max(width, width_);
  for (std::int64_t y = 0; y < rows; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      const std::int64_t cell = scaled(y, rows, height_) * width_ + scaled(x, columns, width_);
      if (logits_[static_cast<std::size_t>(cell)] <= least) continue;
      inside[static_cast<std::size_t>(scaled(y, rows, height) * width +
                                      scaled(x, columns, width))] = 1;
    }
  }
  std::vector<std::uint32_t> places;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != 0) places.push_back(static_cast<std::uint32_t>(i));
  }
  return places;
}

}  // namespace yoloq::pipeline::detail
