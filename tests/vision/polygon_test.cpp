// SPDX-License-Identifier: Apache-2.0
#include "vision/polygon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

namespace yoloq::vision {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

constexpr Size kImage{.width = 20, .height = 10};

double sum_of(const Coverage& coverage) {
  return std::accumulate(coverage.share.begin(), coverage.share.end(), 0.0);
}

TEST(CoverageOf, ASquareOnPixelsCoversThemWhollyAndNothingElse) {
  const Coverage coverage = coverage_of(std::vector<Point>{{2, 3}, {5, 3}, {5, 5}, {2, 5}}, kImage);

  EXPECT_EQ(coverage.left, 2);
  EXPECT_EQ(coverage.top, 3);
  EXPECT_EQ(coverage.size, (Size{.width = 3, .height = 2}));
  EXPECT_THAT(coverage.share, testing::Each(FloatEq(1)));
}

TEST(CoverageOf, PartsOfPixelsCountByTheirArea) {
  // From 0.25 to 1.5 across, the upper half of one row: 3/4 and 1/2 of half a pixel.
  const Coverage coverage =
      coverage_of(std::vector<Point>{{0.25, 0}, {1.5, 0}, {1.5, 0.5}, {0.25, 0.5}}, kImage);

  EXPECT_THAT(coverage.share, ElementsAre(FloatEq(0.75f / 2), FloatEq(0.5f / 2)));
}

TEST(CoverageOf, WhatLiesOutsideOfTheImageIsCut) {
  const std::vector<Point> corners{{-5, -5}, {3, -5}, {3, 2}, {-5, 2}};

  EXPECT_DOUBLE_EQ(sum_of(coverage_of(corners, kImage)), 3 * 2);
  EXPECT_DOUBLE_EQ(area_of(corners), 8 * 7);
  EXPECT_EQ(bounds_of(corners), (Rect{-5, -5, 3, 2}));
  EXPECT_TRUE(coverage_of(std::vector<Point>{{30, 3}, {40, 3}, {40, 8}}, kImage).share.empty());
}

TEST(CoverageOf, ANotchStaysOpen) {
  const std::vector<Point> corners{{0, 0}, {4, 0}, {4, 4}, {3, 4}, {3, 1}, {1, 1}, {1, 4}, {0, 4}};
  const Coverage coverage = coverage_of(corners, kImage);

  EXPECT_EQ(coverage.at(2, 0), 1);
  EXPECT_EQ(coverage.at(2, 1), 0);
  EXPECT_EQ(coverage.at(2, 3), 1);
  EXPECT_DOUBLE_EQ(sum_of(coverage), area_of(corners));
}

TEST(CoverageOf, ARoundShapeHasItsAreaWithinTheQuartersOfItsLines) {
  std::vector<Point> corners;
  for (int i = 0; i < 64; ++i) {
    const double angle = 2 * std::numbers::pi * i / 64;
    corners.push_back({static_cast<float>(5.3 + 4.2 * std::cos(angle)),
                       static_cast<float>(4.9 + 4.2 * std::sin(angle))});
  }

  EXPECT_NEAR(sum_of(coverage_of(corners, kImage)), area_of(corners), 0.25);
  EXPECT_NEAR(area_of(corners), std::numbers::pi * 4.2 * 4.2, 0.1);
}

TEST(Blend, MixesByTheShareThatIsCovered) {
  Image image{.size = {.width = 2, .height = 1}, .pixels = {100, 100, 100, 100, 100, 100}};

  blend(image, coverage_of(std::vector<Point>{{0.5, 0}, {2, 0}, {2, 1}, {0.5, 1}}, image.size),
        {0, 200, 50});

  EXPECT_THAT(image.pixels, ElementsAre(50, 150, 75, 0, 200, 50));
}

}  // namespace
}  // namespace yoloq::vision
