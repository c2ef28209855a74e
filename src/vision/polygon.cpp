// SPDX-License-Identifier: Apache-2.0
#include "vision/polygon.h"

#include <algorithm>
#include <cmath>

namespace yoloq::vision {

namespace {

constexpr int kLinesPerRow = 4;

/// Where the outline crosses the horizontal line at `y`, from left to right.
void find_crossings(std::span<const Point> corners, double y, std::vector<double>& crossings) {
  crossings.clear();
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Point& a = corners[i];
    const Point& b = corners[(i + 1) % corners.size()];
    if ((a.y <= y) == (b.y <= y)) continue;
    crossings.push_back(a.x + (y - a.y) * (double{b.x} - a.x) / (double{b.y} - a.y));
  }
  std::ranges::sort(crossings);
}

/// Adds a line's part from `from` to `to`, in pixels from the left of `row`.
void add_span(std::span<float> row, double from, double to) {
  const auto width = static_cast<double>(row.size());
  from = std::clamp(from, 0.0, width);
  to = std::clamp(to, 0.0, width);
  for (auto x = static_cast<std::size_t>(from); x < row.size() && static_cast<double>(x) < to;
       ++x) {
    const auto left = static_cast<double>(x);
    const double covered = std::min(to, left + 1) - std::max(from, left);
    row[x] += static_cast<float>(covered / kLinesPerRow);
  }
}

int inside(float value, int limit) {
  return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(limit)));
}

}  // namespace

Rect bounds_of(std::span<const Point> corners) {
  if (corners.empty()) return {};
  Rect box{corners[0].x, corners[0].y, corners[0].x, corners[0].y};
  for (const Point& corner : corners) {
    box.x1 = std::min(box.x1, corner.x);
    box.y1 = std::min(box.y1, corner.y);
    box.x2 = std::max(box.x2, corner.x);
    box.y2 = std::max(box.y2, corner.y);
  }
  return box;
}

double area_of(std::span<const Point> corners) {
  double twice = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Point& a = corners[i];
    const Point& b = corners[(i + 1) % corners.size()];
    twice += double{a.x} * b.y - double{b.x} * a.y;
  }
  return std::abs(twice) / 2;
}

Coverage coverage_of(std::span<const Point> corners, Size image) {
  const Rect box = bounds_of(corners);
  Coverage result{.left = inside(std::floor(box.x1), image.width),
                  .top = inside(std::floor(box.y1), image.height)};
  result.size = {.width = inside(std::ceil(box.x2), image.width) - result.left,
                 .height = inside(std::ceil(box.y2), image.height) - result.top};
  const auto width = static_cast<std::size_t>(result.size.width);
  result.share.assign(width * static_cast<std::size_t>(result.size.height), 0.0f);

  std::vector<double> crossings;
  for (int line = 0; line < result.size.height * kLinesPerRow; ++line) {
    find_crossings(corners, result.top + (line + 0.5) / kLinesPerRow, crossings);
    const auto row = static_cast<std::size_t>(line / kLinesPerRow);
    const std::span<float> shares(result.share.data() + row * width, width);
    for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
      add_span(shares, crossings[i] - result.left, crossings[i + 1] - result.left);
    }
  }
  return result;
}

void blend(Image& image, const Coverage& coverage, const Colour& colour) {
  for (int row = 0; row < coverage.size.height; ++row) {
    for (int column = 0; column < coverage.size.width; ++column) {
      const float share = std::min(coverage.at(row, column), 1.0f);
      if (share <= 0) continue;
      const auto pixel = (static_cast<std::size_t>(coverage.top + row) *
                              static_cast<std::size_t>(image.size.width) +
                          static_cast<std::size_t>(coverage.left + column)) *
                         colour.size();
      for (std::size_t c = 0; c < colour.size(); ++c) {
        std::uint8_t& value = image.pixels[pixel + c];
        const float mixed = (1 - share) * value + share * colour[c];
        value = static_cast<std::uint8_t>(std::lround(mixed));
      }
    }
  }
}

}  // namespace yoloq::vision
