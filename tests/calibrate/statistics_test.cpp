// SPDX-License-Identifier: Apache-2.0
#include "calibrate/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "calibrate/samples.h"
#include "core/error.h"

namespace yoloq::calibrate {
namespace {

using testing::ElementsAre;

/// Of one image [channels, H, W].
TensorStatistics observed(const std::vector<float>& values, std::int64_t channels) {
  Collector collector({"x"});
  collector.observe(0, values, channels, "image");
  return std::move(collector).finish().tensors.at("x");
}

TEST(TensorStatistics, GivesTheMeanOfEachChannel) {
  const TensorStatistics statistics = observed({1, 2, 3, -4, 0, 1}, 2);

  EXPECT_THAT(statistics.channel_means(), ElementsAre((1 + 2 + 3) / 3.0, (-4 + 0 + 1) / 3.0));
}

TEST(AddImages, IsWhatOnePassOverAllImagesGives) {
  Collector both({"x"});
  both.observe(0, std::vector<float>{1, 2, 3, 4}, 2, "a");
  both.observe(0, std::vector<float>{-1000, 5, 0.5f, -0.0f}, 2, "b");
  TensorStatistics statistics = observed({1, 2, 3, 4}, 2);

  add_images(statistics, observed({-1000, 5, 0.5f, -0.0f}, 2));

  EXPECT_EQ(statistics, std::move(both).finish().tensors.at("x"));
}

TEST(AddImages, RefusesOtherChannels) {
  TensorStatistics statistics = observed({1, 2, 3, 4}, 2);

  EXPECT_THROW(add_images(statistics, observed({1, 2, 3, 4}, 4)), Error);
}

TEST(Merged, IsWhatObservingTheConcatGives) {
  const auto a = observed({1, 2, 3, 4}, 2);
  const auto b = observed({-1000, 5}, 1);

  EXPECT_EQ(merged(std::array{&a, &b}), observed({1, 2, 3, 4, -1000, 5}, 3));
}

TEST(Merged, RefusesChannelsOfOtherSizes) {
  const auto a = observed({1, 2, 3, 4}, 2);
  const auto b = observed({1, 2, 3}, 1);

  const auto merge = [](std::span<const TensorStatistics* const> parts) {
    return test::error_of([&] { merged(parts); }).code();
  };

  EXPECT_EQ(merge(std::array{&a, &b}), ErrorCode::bad_argument);
  EXPECT_EQ(merge({}), ErrorCode::bad_argument);
}

TEST(Repeated, IsWhatObservingTheResizeGives) {
  const auto before = observed({1, -2}, 2);

  EXPECT_EQ(repeated(before, 4), observed({1, 1, 1, 1, -2, -2, -2, -2}, 2));
}

TEST(Repeated, CountsBeyond32Bits) {
  const auto before = observed({1, -2, 3}, 1);

  const auto after = repeated(repeated(before, 1u << 31), 1u << 20);

  EXPECT_EQ(after.count, std::uint64_t{3} << 51);
  EXPECT_EQ(after.histogram.total(), after.count);
  EXPECT_EQ(after.channel_means(), before.channel_means());
  EXPECT_EQ(test::error_of([&] { repeated(after, 1u << 31); }).code(), ErrorCode::bad_argument);
}

}  // namespace
}  // namespace yoloq::calibrate
