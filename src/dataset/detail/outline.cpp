// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/outline.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace yoloq::dataset::detail {

namespace {

constexpr int kRoundCorners = 64;
constexpr int kStarTips = 5;
constexpr double kTurn = 2 * std::numbers::pi;

vision::Point polar(double angle, double radius) {
  return {static_cast<float>(radius * std::cos(angle)),
          static_cast<float>(radius * std::sin(angle))};
}

/// So that the furthest corner is at 1.
Outline normalised(Outline outline) {
  float furthest = 0;
  for (const auto& corner : outline) furthest = std::max(furthest, std::hypot(corner.x, corner.y));
  for (auto& corner : outline) corner = {corner.x / furthest, corner.y / furthest};
  return outline;
}

/// Shorter along one axis than along the other, by up to `least`.
Outline squeezed(Outline outline, float least, Random& random) {
  const float height = random.uniform(least, 1);
  for (auto& corner : outline) corner.y *= height;
  return normalised(std::move(outline));
}

Outline circle(Random& random) {
  Outline outline;
  for (int i = 0; i < kRoundCorners; ++i) outline.push_back(polar(kTurn * i / kRoundCorners, 1));
  return squeezed(std::move(outline), 0.75f, random);
}

Outline rectangle(Random& random) {
  return squeezed({{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}, 0.5f, random);
}

Outline triangle(Random& random) {
  return squeezed({polar(0, 1), polar(kTurn / 3, 1), polar(2 * kTurn / 3, 1)}, 0.75f, random);
}

Outline star(Random& random) {
  const double waist = random.uniform(0.38f, 0.5f);
  Outline outline;
  for (int i = 0; i < 2 * kStarTips; ++i) {
    outline.push_back(polar(kTurn * i / (2 * kStarTips), i % 2 == 0 ? 1 : waist));
  }
  return outline;
}

Outline cross(Random& random) {
  const float arm = random.uniform(0.22f, 0.38f);  // Half its width; it reaches to 1.
  return normalised({{-arm, -1},
                     {arm, -1},
                     {arm, -arm},
                     {1, -arm},
                     {1, arm},
                     {arm, arm},
                     {arm, 1},
                     {-arm, 1},
                     {-arm, arm},
                     {-1, arm},
                     {-1, -arm},
                     {-arm, -arm}});
}

}  // namespace

const std::vector<ShapeKind>& shape_kinds() {
  static const std::vector<ShapeKind> kKinds{{"circle", circle},
                                             {"rectangle", rectangle},
                                             {"triangle", triangle},
                                             {"star", star},
                                             {"cross", cross}};
  return kKinds;
}

Outline blob(Random& random) {
  const double second = random.uniform(0.2f, 0.35f);
  const double third = random.uniform(0.15f, 0.3f);
  const double phase = random.uniform(0, static_cast<float>(kTurn));
  Outline outline;
  for (int i = 0; i < kRoundCorners; ++i) {
    const double angle = kTurn * i / kRoundCorners;
    outline.push_back(
        polar(angle, 1 + second * std::sin(2 * angle) + third * std::sin(3 * angle + phase)));
  }
  return normalised(std::move(outline));
}

Outline place(const Outline& outline, const Placement& placement) {
  const float sine = std::sin(placement.angle) * placement.radius;
  const float cosine = std::cos(placement.angle) * placement.radius;
  Outline result;
  for (const auto& [x, y] : outline) {
    result.push_back(
        {placement.centre.x + cosine * x - sine * y, placement.centre.y + sine * x + cosine * y});
  }
  return result;
}

}  // namespace yoloq::dataset::detail
