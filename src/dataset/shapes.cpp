// SPDX-License-Identifier: Apache-2.0
#include "dataset/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "dataset/detail/background.h"
#include "dataset/detail/outline.h"
#include "dataset/detail/scene.h"

namespace yoloq::dataset {

namespace {

constexpr int kMostShapes = 8;     // Per image; at least one.
constexpr int kTries = 20;         // At placing one of them.
constexpr int kSmallestShape = 4;  // Pixels across.
constexpr int kSmallestSide = 64;
constexpr int kLargestSide = 2048;
constexpr int kMostImages = 999'999;  // Six digits.
constexpr int kFewestShapeClasses = 2;

void check_range(const char* what, int value, int low, int high) {
  if (value >= low && value <= high) return;
  fail(ErrorCode::bad_argument, "{} {}; expected {} to {}", value, what, low, high);
}

/// All sizes are equally likely on a logarithmic scale, as objects at different distances.
float random_radius(const ShapesOptions& options, Random& random) {
  const float largest = static_cast<float>(options.side) / 2;
  const auto smallest = static_cast<float>(options.smallest);
  return smallest * std::pow(largest / smallest, random.uniform()) / 2;
}

/// Lays one shape somewhere, if a place is found for it.
void add_shape(detail::Scene& scene, const ShapesOptions& options, Random& random) {
  const auto side = static_cast<float>(options.side);
  const auto class_index = static_cast<int>(random.integer(0, options.class_count - 1));
  const auto& kind = detail::shape_kinds().at(static_cast<std::size_t>(class_index));
  const detail::Outline outline = kind.outline(random);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    detail::Placement placement;
    placement.radius = random_radius(options, random);
    placement.angle = random.uniform(0, 2 * std::numbers::pi_v<float>);
    placement.centre.x = random.uniform(0, side);
    placement.centre.y = random.uniform(0, side);
    if (scene.add(class_index, outline, placement, random)) return;
  }
}

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const auto& kind : detail::shape_kinds()) names.emplace_back(kind.name);
  return names;
}

void check_shapes_options(const ShapesOptions& options) {
  const auto kinds = static_cast<int>(detail::shape_kinds().size());
  check_range("classes of shapes", options.class_count, kFewestShapeClasses, kinds);
  check_range("pixels as the side of an image", options.side, kSmallestSide, kLargestSide);
  check_range("pixels across as the smallest shape", options.smallest, kSmallestShape,
              options.side / 2);
  if (!(options.visible > 0 && options.visible <= 1)) {
    fail(ErrorCode::bad_argument, "{} of a shape to stay visible; expected above 0, up to 1",
         options.visible);
  }
  check_range("images to train on", options.train_images, 1, kMostImages);
  check_range("images to validate on", options.val_images, 1, kMostImages);
  check_range("threads", options.threads, 0, 4096);
}

ShapesImage draw_shapes(const ShapesOptions& options, Random random) {
  check_shapes_options(options);
  detail::Scene scene(detail::draw_background(options.side, random), options.visible);
  for (auto left = random.integer(1, kMostShapes); left > 0; --left) {
    add_shape(scene, options, random);
  }
  detail::add_noise(scene.image(), random);
  return {.image = std::move(scene.image()), .labels = scene.labels()};
}

}  // namespace yoloq::dataset
