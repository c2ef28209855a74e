// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/object_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace yoloq::pipeline::detail {

namespace {

/// The index on an axis of `to` cells that `index` of `from` cells falls on.
std::int64_t scaled(std::int64_t index, std::int64_t from, std::int64_t to) {
  return std::min(index * to / from, to - 1);
}

/// scaled() of every index of `from` cells.
std::vector<std::int64_t> all_scaled(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < from; ++i) indices.push_back(scaled(i, from, to));
  return indices;
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
      const std::int64_t channel =
          head.only_objectness ? anchor : anchor * (5 + head.classes) + kObjectness;
      const float* plane = head.values.data() + channel * head.height * head.width;
      const auto columns = all_scaled(width_, head.width);
      for (std::int64_t y = 0; y < height_; ++y) {
        const float* row = plane + scaled(y, height_, head.height) * head.width;
        for (std::int64_t x = 0; x < width_; ++x) {
          float& cell = logits_[static_cast<std::size_t>(y * width_ + x)];
          cell = std::max(cell, row[columns[static_cast<std::size_t>(x)]]);
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
  const auto own_columns = all_scaled(columns, width_);
  const auto their_columns = all_scaled(columns, width);
  for (std::int64_t y = 0; y < rows; ++y) {
    const float* const own_row = logits_.data() + scaled(y, rows, height_) * width_;
    char* const their_row = inside.data() + scaled(y, rows, height) * width;
    for (std::size_t x = 0; x < own_columns.size(); ++x) {
      if (own_row[own_columns[x]] > least) their_row[their_columns[x]] = 1;
    }
  }
  std::vector<std::uint32_t> places;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != 0) places.push_back(static_cast<std::uint32_t>(i));
  }
  return places;
}

}  // namespace yoloq::pipeline::detail
