// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/scene.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "dataset/detail/background.h"

namespace yoloq::dataset::detail {

namespace {

using vision::Colour;
using vision::Coverage;

constexpr float kInside = 0.5f;     ///< A pixel belongs to a shape that covers this much of it.
constexpr int kLeastContrast = 90;  ///< Sum over the channels, of 765: less is hard to see at all.
constexpr double kOutlined = 0.4;   ///< Part of the shapes that have an edge of another colour.

int contrast(const Colour& a, const Colour& b) {
  int sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += std::abs(int{a[c]} - int{b[c]});
  return sum;
}

/// Calls `visit` with the index of each pixel that belongs to the shape.
template <typename Visit>
void for_each_inside(const Coverage& coverage, int image_width, Visit visit) {
  for (int row = 0; row < coverage.size.height; ++row) {
    for (int column = 0; column < coverage.size.width; ++column) {
      if (coverage.at(row, column) < kInside) continue;
      visit(static_cast<std::size_t>(coverage.top + row) * static_cast<std::size_t>(image_width) +
            static_cast<std::size_t>(coverage.left + column));
    }
  }
}

}  // namespace

Scene::Scene(vision::Image background, double least_visible)
    : image_(std::move(background)),
      least_visible_(least_visible),
      top_(image_.pixels.size() / 3, std::int16_t{-1}) {}

std::optional<std::vector<double>> Scene::visible_under(const Coverage& coverage) const {
  std::vector<double> visible;
  for (const Shape& shape : shapes_) visible.push_back(shape.visible);
  for_each_inside(coverage, image_.size.width, [&](std::size_t pixel) {
    if (top_[pixel] >= 0) visible[static_cast<std::size_t>(top_[pixel])] -= 1;
  });
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (visible[i] < least_visible_ * shapes_[i].area) return std::nullopt;
  }
  return visible;
}

Colour Scene::mean_under(const Coverage& coverage) const {
  std::array<double, 3> sums{};
  double count = 0;
  for_each_inside(coverage, image_.size.width, [&](std::size_t pixel) {
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += image_.pixels[pixel * 3 + c];
    count += 1;
  });
  Colour mean{};
  for (std::size_t c = 0; c < sums.size() && count > 0; ++c) {
    mean[c] = static_cast<std::uint8_t>(sums[c] / count);
  }
  return mean;
}

void Scene::paint(const Outline& outline, const Placement& placement, const Coverage& coverage,
                  Random& random) {
  const Colour below = mean_under(coverage);
  Colour fill = random_colour(random);
  while (contrast(fill, below) < kLeastContrast) fill = random_colour(random);
  if (!random.chance(kOutlined)) {
    vision::blend(image_, coverage, fill);
    return;
  }
  vision::blend(image_, coverage, random_colour(random));
  Placement inner = placement;
  inner.radius *= random.uniform(0.7f, 0.9f);
  vision::blend(image_, vision::coverage_of(place(outline, inner), image_.size), fill);
}

bool Scene::add(int class_index, const Outline& outline, const Placement& placement,
                Random& random) {
  const Outline corners = place(outline, placement);
  const Coverage coverage = vision::coverage_of(corners, image_.size);
  Shape shape{.class_index = class_index,
              .box = vision::bounds_of(corners),
              .area = vision::area_of(corners)};
  for_each_inside(coverage, image_.size.width, [&](std::size_t) { shape.visible += 1; });
  if (shape.visible < least_visible_ * shape.area) return false;
  const auto visible = visible_under(coverage);
  if (!visible) return false;

  for (std::size_t i = 0; i < shapes_.size(); ++i) shapes_[i].visible = (*visible)[i];
  const auto number = static_cast<std::int16_t>(shapes_.size());
  for_each_inside(coverage, image_.size.width, [&](std::size_t pixel) { top_[pixel] = number; });
  shapes_.push_back(shape);
  paint(outline, placement, coverage, random);
  return true;
}

std::vector<Label> Scene::labels() const {
  std::vector<Label> labels;
  const double width = image_.size.width;
  const double height = image_.size.height;
  for (const Shape& shape : shapes_) {
    const double left = std::max(0.0, double{shape.box.x1});
    const double top = std::max(0.0, double{shape.box.y1});
    const double right = std::min(width, double{shape.box.x2});
    const double bottom = std::min(height, double{shape.box.y2});
    labels.push_back({.class_index = shape.class_index,
                      .x = (left + right) / 2 / width,
                      .y = (top + bottom) / 2 / height,
                      .width = (right - left) / width,
                      .height = (bottom - top) / height});
  }
  return labels;
}

}  // namespace yoloq::dataset::detail
