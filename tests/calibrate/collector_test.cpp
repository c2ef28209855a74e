// SPDX-License-Identifier: Apache-2.0
#include "calibrate/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "calibrate/samples.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace yoloq::calibrate {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kChannels = 3;

/// Image `number` of tensor `tensor`: [3, H, W] of a size and a spread that depend on both.
std::vector<float> activation(std::size_t tensor, std::size_t number) {
  std::mt19937 random(static_cast<unsigned>(100 * tensor + number));
  std::normal_distribution<float> normal(0.3f, std::exp2(static_cast<float>(number % 7)));
  std::vector<float> values(kChannels * (700 + 13 * (number % 5)));
  for (float& value : values) value = normal(random);
  return values;
}

constexpr std::size_t kTensors = 4;
constexpr std::size_t kImages = 12;

Collector four_tensors() { return Collector({"a", "b", "c", "d"}); }

/// The bytes after observing all images in the order given.
std::string bytes_in_order(const std::vector<std::size_t>& images) {
  Collector collector = four_tensors();
  for (const std::size_t image : images) {
    for (std::size_t tensor = 0; tensor < kTensors; ++tensor) {
      collector.observe(tensor, activation(tensor, image), kChannels, "image");
    }
  }
  return serialize(std::move(collector).finish());
}

std::vector<std::size_t> in_order() {
  std::vector<std::size_t> images(kImages);
  for (std::size_t i = 0; i < kImages; ++i) images[i] = i;
  return images;
}

TEST(Collector, GivesTheSameBytesForAnyOrderOfImages) {
  const std::string expected = bytes_in_order(in_order());
  std::mt19937 random(7);
  for (int round = 0; round < 4; ++round) {
    auto images = in_order();
    std::shuffle(images.begin(), images.end(), random);

    EXPECT_EQ(bytes_in_order(images), expected);
  }
}

TEST(Collector, GivesTheSameBytesForAnyNumberOfThreads) {
  const std::string expected = bytes_in_order(in_order());
  for (const int threads : {2, 5}) {
    Collector collector = four_tensors();
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < kImages * kTensors; i = next++) {
        collector.observe(i % kTensors, activation(i % kTensors, i / kTensors), kChannels, "");
      }
    };
    std::vector<std::thread> pool;
    for (int thread = 0; thread < threads; ++thread) pool.emplace_back(work);
    for (std::thread& thread : pool) thread.join();

    EXPECT_EQ(serialize(std::move(collector).finish()), expected);
  }
}

TEST(Collector, GivesTheSameBytesWhateverTheCallersRounding) {
  const std::string expected = bytes_in_order(in_order());

  Collector collector = four_tensors();
  for (std::size_t image = 0; image < kImages; ++image) {
    for (std::size_t tensor = 0; tensor < kTensors; ++tensor) {
      const auto values = activation(tensor, image);
      std::fesetround(FE_DOWNWARD);
      collector.observe(tensor, values, kChannels, "image");
      EXPECT_EQ(std::fegetround(), FE_DOWNWARD);  // and leaves it as it was
      std::fesetround(FE_TONEAREST);
    }
  }
  EXPECT_EQ(serialize(std::move(collector).finish()), expected);
}

/// [C, places] as [places, C].
std::vector<float> channels_last(const std::vector<float>& values, std::size_t channels) {
  const std::size_t places = values.size() / channels;
  std::vector<float> turned(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    turned[i % places * channels + i / places] = values[i];
  }
  return turned;
}

/// Lanes, chunks and channels that end together, or nowhere near each other.
TEST(Collector, GivesTheSameBytesForChannelsLast) {
  for (const std::size_t channels : {1u, 2u, 3u, 16u, 48u, 129u, 255u}) {
    for (const std::size_t places : {1u, 15u, 16u, 17u, 400u, 2049u}) {
      std::mt19937 random(static_cast<unsigned>(channels * places));
      std::normal_distribution<float> normal(0.3f, 5.0f);
      std::vector<float> values(channels * places);
      for (float& value : values) value = normal(random);
      const auto count = static_cast<std::int64_t>(channels);
      Collector first({"x"});
      first.observe(0, values, count, "image");
      Collector last({"x"});
      last.observe_channels_last(0, channels_last(values, channels), count, "image");

      EXPECT_EQ(serialize(std::move(last).finish()), serialize(std::move(first).finish()))
          << channels << " channels of " << places << " places";
    }
  }
}

TEST(Collector, NamesThePlaceOfAValueThatIsNotFiniteWithChannelsLast) {
  Collector collector({"x"});
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const Error error = error_of([&] {
      collector.observe_channels_last(0, std::vector<float>{9, 9, 9, 9, 9, bad, 9, 9}, 2, "b.jpg");
    });

    EXPECT_EQ(error.code(), ErrorCode::bad_value);
    EXPECT_THAT(error.what(), HasSubstr("element 2 of channel 1"));
  }
  EXPECT_EQ(error_of([&] { std::move(collector).finish(); }).code(), ErrorCode::bad_state);
}

TEST(Collector, NamesTensorImageAndPlaceOfAValueThatIsNotFinite) {
  Collector collector({"model.0.conv", "model.1.conv"});
  collector.observe(0, std::vector<float>{1, 2, 3, 4}, 2, "good.jpg");
  collector.observe(1, std::vector<float>{1, 2, 3, 4}, 2, "good.jpg");
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const Error error = error_of([&] {
      collector.observe(1, std::vector<float>{9, 9, 9, 9, 9, bad}, 2, "bad.jpg");
    });

    EXPECT_EQ(error.code(), ErrorCode::bad_value);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'model.1.conv'"), HasSubstr("'bad.jpg'"),
                                    HasSubstr("element 2 of channel 1")));
  }

  const Ranges ranges = std::move(collector).finish();

  EXPECT_EQ(ranges.at("model.1.conv"), ranges.at("model.0.conv"));  // nothing was taken in
}

TEST(Collector, RefusesValuesThatAreNotWholeChannels) {
  Collector collector({"x"});
  const std::vector<float> six(6, 1.0f);
  collector.observe(0, six, 3, "first.jpg");

  const auto observe = [&](std::size_t index, std::span<const float> values,
                           std::int64_t channels) {
    return error_of([&] { collector.observe(index, values, channels, "other.jpg"); }).code();
  };

  EXPECT_EQ(observe(0, six, 4), ErrorCode::bad_argument);
  EXPECT_EQ(observe(0, six, 0), ErrorCode::bad_argument);
  EXPECT_EQ(observe(0, six, -3), ErrorCode::bad_argument);
  EXPECT_EQ(observe(0, {}, 3), ErrorCode::bad_argument);
  EXPECT_EQ(observe(0, six, 2), ErrorCode::bad_argument);  // three channels before
  EXPECT_EQ(observe(1, six, 3), ErrorCode::bad_argument);  // no such tensor
  EXPECT_EQ(std::move(collector).finish().at("x").count, 6u);
}

TEST(Collector, RefusesToFinishATensorThatWasNeverObserved) {
  Collector collector({"seen", "unseen"});
  collector.observe(0, std::vector<float>{1}, 1, "image");

  const Error error = error_of([&] { std::move(collector).finish(); });

  EXPECT_EQ(error.code(), ErrorCode::bad_state);
  EXPECT_THAT(error.what(), HasSubstr("'unseen'"));
}

TEST(Collector, RefusesNamesThatAreEmptyOrAppearTwice) {
  EXPECT_EQ(error_of([] { Collector({"a", "b", "a"}); }).code(), ErrorCode::bad_argument);
  EXPECT_EQ(error_of([] { Collector({""}); }).code(), ErrorCode::bad_argument);
}

TEST(Collector, KeepsTheExtremesAsValuesNotAsNegativeZero) {
  const auto statistics = test::statistics_of({-0.0f, -0.0f});

  EXPECT_FALSE(std::signbit(statistics.min));
  EXPECT_FALSE(std::signbit(statistics.max));
}

#if defined(__SSE__)
TEST(Collector, GivesTheSameBytesOnAThreadThatFlushesSubnormalNumbers) {
  constexpr float kSubnormal = std::numeric_limits<float>::min() / 8;
  const std::vector<float> values = {kSubnormal, -kSubnormal, 0.0f, 3 * kSubnormal};
  const TensorStatistics expected = test::statistics_of(values);
  constexpr unsigned kFlushToZero = 0x8040;  // FTZ and DAZ

  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | kFlushToZero);
  const TensorStatistics flushing = test::statistics_of(values);
  _mm_setcsr(before);

  EXPECT_EQ(flushing, expected);
  EXPECT_GT(expected.max, 0.0f);
}
#endif

}  // namespace
}  // namespace yoloq::calibrate
