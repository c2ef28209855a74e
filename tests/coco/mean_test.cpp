// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/mean.h"

#include <gtest/gtest.h>

#include <vector>

namespace yoloq::coco::detail {
namespace {

TEST(Mean, IsMinusOneOfNothing) { EXPECT_EQ(mean({}), -1); }

TEST(Mean, IsExactWhereSumsAre) {
  for (const std::size_t count : {1u, 7u, 8u, 15u, 128u, 129u, 1000u, 80800u}) {
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(2 * i));

    EXPECT_EQ(mean(values), static_cast<double>(count - 1)) << count;
  }
}

TEST(Mean, AddsEightLanesByPairs) {
  // 1e16 + 1 rounds to 1e16: a running sum loses every 1, lanes and pairs keep those apart from it.
  const std::vector<double> values{1e16, 1, 1, 1, 1, 1, 1, 1};

  EXPECT_EQ(mean(values), ((1e16 + 1) + 2 + 4) / 8);
}

}  // namespace
}  // namespace yoloq::coco::detail
