// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pipeline/calibration.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

Paths many(std::size_t count) {
  Paths images;
  for (std::size_t i = 0; i < count; ++i) images.push_back(fmt::format("/data/{:03}.jpg", i));
  return images;
}

TEST(PickImages, ALargerChoiceHoldsEverySmallerOne) {
  const Paths images = many(50);

  for (std::size_t count = 1; count <= images.size(); ++count) {
    const Paths smaller = pick_images(images, count - 1);
    const Paths larger = pick_images(images, count);
    EXPECT_EQ(larger.size(), count);
    EXPECT_TRUE(std::ranges::includes(larger, smaller)) << count;
  }
}

TEST(PickImages, TheOrderOfTheListDoesNotMatter) {
  const Paths images = many(50);
  Paths turned(images.rbegin(), images.rend());

  EXPECT_EQ(pick_images(turned, 7), pick_images(images, 7));
}

TEST(PickImages, TheFolderDoesNotMatter) {
  Paths elsewhere;
  for (const fs::path& path : many(50)) elsewhere.push_back("/other" / path.filename());

  const Paths picked = pick_images(many(50), 7);
  const Paths same = pick_images(elsewhere, 7);

  for (std::size_t i = 0; i < picked.size(); ++i) {
    EXPECT_EQ(same[i].filename(), picked[i].filename());
  }
}

TEST(PickImages, TheChoiceIsSortedAndSpreadOverTheList) {
  const Paths picked = pick_images(many(100), 20);

  EXPECT_TRUE(std::ranges::is_sorted(picked));
  EXPECT_LT(picked.front(), fs::path("/data/030.jpg"));
  EXPECT_GT(picked.back(), fs::path("/data/070.jpg"));
}

TEST(PickImages, FewerImagesThanAskedForAreAllTaken) {
  EXPECT_EQ(pick_images(many(3), 10), many(3));
  EXPECT_TRUE(pick_images({}, 10).empty());
}

}  // namespace
}  // namespace yoloq::pipeline
