// SPDX-License-Identifier: Apache-2.0
#include "train/detail/match_labels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <unordered_map>

namespace yoloq::train::detail {

namespace {

constexpr float kHalfCell = 0.5f;

/// A label on the grid of a level, with the anchor that it fits.
struct Fit {
  const ImageLabel* label;
  std::int64_t anchor;
  float x, y, width, height;  ///< In cells.
};

/// The cell that holds the centre after it was moved by this much; `applies` says to which boxes.
struct CellRule {
  float move_x;
  float move_y;
  bool (*applies)(const Fit& fit, const Level& level);
};

/// True if a coordinate lies in the first half of a cell that is not the first.
bool near_start(float position) { return std::fmod(position, 1.0f) < kHalfCell && position > 1.0f; }

float from_right(const Fit& fit, const Level& level) {
  return static_cast<float>(level.columns) - fit.x;
}
float from_bottom(const Fit& fit, const Level& level) {
  return static_cast<float>(level.rows) - fit.y;
}

constexpr std::array<CellRule, 5> kCellRules{{
    {0, 0, [](const Fit&, const Level&) { return true; }},
    {kHalfCell, 0, [](const Fit& fit, const Level&) { return near_start(fit.x); }},
    {0, kHalfCell, [](const Fit& fit, const Level&) { return near_start(fit.y); }},
    {-kHalfCell, 0,
     [](const Fit& fit, const Level& level) { return near_start(from_right(fit, level)); }},
    {0, -kHalfCell,
     [](const Fit& fit, const Level& level) { return near_start(from_bottom(fit, level)); }},
}};

float ratio(float side, float anchor_side) {
  const float up = side / anchor_side;
  return std::max(up, 1.0f / up);
}

std::vector<Fit> fits(std::span<const ImageLabel> labels, const Level& level, float largest_ratio) {
  const auto columns = static_cast<float>(level.columns);
  const auto rows = static_cast<float>(level.rows);
  std::vector<Fit> found;
  for (std::size_t anchor = 0; anchor < level.anchors.size(); ++anchor) {
    const auto [anchor_width, anchor_height] = level.anchors[anchor];
    for (const ImageLabel& label : labels) {
      const float width = label.width * columns;
      const float height = label.height * rows;
      if (std::max(ratio(width, anchor_width), ratio(height, anchor_height)) < largest_ratio) {
        found.push_back({&label, static_cast<std::int64_t>(anchor), label.x * columns,
                         label.y * rows, width, height});
      }
    }
  }
  return found;
}

void add_target(LevelTargets& targets, const Fit& fit, const CellRule& rule, const Level& level) {
  const auto column = std::clamp<std::int64_t>(static_cast<std::int64_t>(fit.x - rule.move_x), 0,
                                               level.columns - 1);
  const auto row =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(fit.y - rule.move_y), 0, level.rows - 1);
  const auto& sides = level.anchors[static_cast<std::size_t>(fit.anchor)];
  const auto anchors = static_cast<std::int64_t>(level.anchors.size());
  const std::int64_t grid = fit.label->image * anchors + fit.anchor;
  targets.cells.push_back((grid * level.rows + row) * level.columns + column);
  targets.classes.push_back(fit.label->class_index);
  targets.boxes.insert(
      targets.boxes.end(),
      {fit.x - static_cast<float>(column), fit.y - static_cast<float>(row), fit.width, fit.height});
  targets.anchor_sides.insert(targets.anchor_sides.end(), sides.begin(), sides.end());
}

std::vector<std::int64_t> last_of_each(std::span<const std::int64_t> cells) {
  std::unordered_map<std::int64_t, std::int64_t> last;
  last.reserve(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) last[cells[i]] = static_cast<std::int64_t>(i);
  std::vector<std::int64_t> indices;
  indices.reserve(last.size());
  for (const auto& [cell, index] : last) indices.push_back(index);
  std::ranges::sort(indices);
  return indices;
}

}  // namespace

LevelTargets match_labels(std::span<const ImageLabel> labels, const Level& level,
                          float largest_ratio) {
  const std::vector<Fit> matched = fits(labels, level, largest_ratio);
  LevelTargets targets;
  for (const CellRule& rule : kCellRules) {
    for (const Fit& fit : matched) {
      if (rule.applies(fit, level)) add_target(targets, fit, rule, level);
    }
  }
  targets.last = last_of_each(targets.cells);
  return targets;
}

}  // namespace yoloq::train::detail
