// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace yoloq::dataset::detail {
namespace {

using testing::SizeIs;

const Outline kSquare{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};

vision::Image grey(int side) {
  vision::Image image{.size = {.width = side, .height = side}};
  image.pixels.assign(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3, 128);
  return image;
}

/// A square of 2 * radius pixels a side.
Placement at(float x, float y, float radius) { return {.centre = {x, y}, .radius = radius}; }

TEST(Scene, LabelsAShapeByTheBoxAroundIt) {
  Scene scene(grey(100), 0.25);
  Random random(1);

  ASSERT_TRUE(scene.add(2, kSquare, at(40, 50, 10), random));

  ASSERT_THAT(scene.labels(), SizeIs(1));
  const Label label = scene.labels().front();
  EXPECT_EQ(label.class_index, 2);
  EXPECT_NEAR(label.x, 0.40, 1e-6);
  EXPECT_NEAR(label.y, 0.50, 1e-6);
  EXPECT_NEAR(label.width, 0.20, 1e-6);
  EXPECT_NEAR(label.height, 0.20, 1e-6);
}

TEST(Scene, DrawsTheShapeInItsBoxAndNowhereElse) {
  Scene scene(grey(100), 0.25);
  Random random(1);

  scene.add(0, kSquare, at(40, 50, 10), random);

  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      const auto pixel = static_cast<std::size_t>(y * 100 + x) * 3;
      int contrast = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        contrast += std::abs(int{scene.image().pixels[pixel + c]} - 128);
      }
      const bool inside = x >= 30 && x < 50 && y >= 40 && y < 60;
      if (inside) {
        ASSERT_GE(contrast, 60) << x << " " << y;
      } else {
        ASSERT_EQ(contrast, 0) << x << " " << y;
      }
    }
  }
}

TEST(Scene, CutsTheBoxAtTheImagesEdges) {
  Scene scene(grey(100), 0.25);
  Random random(1);

  ASSERT_TRUE(scene.add(0, kSquare, at(0, 50, 10), random));  // Half of it is outside.

  EXPECT_NEAR(scene.labels().front().x, 0.05, 1e-6);
  EXPECT_NEAR(scene.labels().front().width, 0.10, 1e-6);
}

TEST(Scene, RefusesAShapeOfWhichLessThanAQuarterIsInside) {
  Scene scene(grey(100), 0.25);
  Random random(1);

  EXPECT_FALSE(scene.add(0, kSquare, at(-6, 50, 10), random));  // 4 of 20 columns.
  EXPECT_TRUE(scene.add(0, kSquare, at(-5, 50, 10), random));   // 5 of 20.
}

TEST(Scene, RefusesAShapeThatWouldHideMoreThanThreeQuartersOfAnother) {
  Scene scene(grey(100), 0.25);
  Random random(1);
  ASSERT_TRUE(scene.add(0, kSquare, at(50, 50, 10), random));
  const vision::Image before = scene.image();

  EXPECT_FALSE(scene.add(1, kSquare, at(54, 50, 10), random));  // 16 of 20 columns.
  EXPECT_EQ(scene.image(), before);
  EXPECT_TRUE(scene.add(1, kSquare, at(55, 50, 10), random));  // 15 of 20.
}

TEST(Scene, CountsWhatSeveralShapesHideTogether) {
  Scene scene(grey(100), 0.25);
  Random random(1);
  ASSERT_TRUE(scene.add(0, kSquare, at(50, 50, 10), random));
  ASSERT_TRUE(scene.add(1, kSquare, at(60, 50, 10), random));  // Its right half.

  EXPECT_FALSE(scene.add(2, kSquare, at(36, 50, 10), random));  // 6 of 20 columns more.
  EXPECT_TRUE(scene.add(2, kSquare, at(35, 50, 10), random));   // 5.
  EXPECT_THAT(scene.labels(), SizeIs(3));
}

TEST(Outline, ReachesToOneAndNoFurther) {
  Random random(1);
  for (const ShapeKind& kind : shape_kinds()) {
    for (int i = 0; i < 20; ++i) {
      double furthest = 0;
      for (const auto& [x, y] : kind.outline(random)) {
        furthest = std::max(furthest, std::hypot(double{x}, double{y}));
      }
      EXPECT_NEAR(furthest, 1, 1e-6) << kind.name;
    }
  }
}

}  // namespace
}  // namespace yoloq::dataset::detail
