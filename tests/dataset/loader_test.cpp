// SPDX-License-Identifier: Apache-2.0
#include "dataset/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>

#include "core/error.h"
#include "dataset/small_set.h"
#include "support/message.h"

namespace yoloq::dataset {
namespace {

using test::message_when;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kSide = 32;

/// Eleven images: every kind of a last batch.
class LoaderTest : public testing::Test {
 protected:
  void SetUp() override {
    fill(small_);
    fill(small_);
    small_.add({40, 40}, "1 0.5 0.5 0.5 0.5\n");
    set_ = std::make_unique<TrainingSet>(
        small_.images(), 3, TrainingSetOptions{.size = {kSide, kSide}, .cache_bytes = 1 << 20});
  }

  SmallSet small_;
  std::unique_ptr<TrainingSet> set_;
};

std::vector<Batch> all_batches(Loader& loader, std::uint64_t epoch, std::size_t first = 0) {
  std::vector<Batch> batches;
  loader.start(epoch, first);
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.first, b.first);
}

TEST_F(LoaderTest, BatchesAreTheSamplesInTheOrderOfTheEpoch) {
  Loader loader(*set_, {.batch_size = 4, .threads = 3});

  const auto batches = all_batches(loader, 7);

  const auto order = loader.order(7);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(loader.batches(), 3u);
  EXPECT_THAT((std::array{batches[0].count, batches[1].count, batches[2].count}),
              ElementsAre(4u, 4u, 3u));
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.epoch, 7u);
    EXPECT_EQ(batch.images.size(), batch.count * 3 * kSide * kSide);
    std::vector<BatchLabel> labels;
    for (std::size_t i = 0; i < batch.count; ++i) {
      const TrainingSample sample = set_->sample(7, order[batch.first + i]);
      EXPECT_TRUE(std::equal(sample.planes.begin(), sample.planes.end(),
                             batch.images.begin() + i * sample.planes.size()));
      for (const TrainingLabel& label : sample.labels) labels.push_back({i, label});
    }
    EXPECT_EQ(batch.labels, labels);
  }
}

TEST_F(LoaderTest, AnOrderHoldsEachImageOnceAndDiffersByEpochAndSeed) {
  const Loader loader(*set_, {.threads = 1});
  const Loader other(*set_, {.threads = 1, .seed = 1});
  const Loader plain(*set_, {.threads = 1, .shuffle = false});

  const auto order = loader.order(0);

  EXPECT_EQ(std::set(order.begin(), order.end()).size(), 11u);
  EXPECT_NE(order, loader.order(1));
  EXPECT_NE(order, other.order(0));
  EXPECT_EQ(order, loader.order(0));
  EXPECT_TRUE(std::ranges::is_sorted(plain.order(3)));
}

TEST_F(LoaderTest, ThreadsAndRoomAheadChangeNothing) {
  Loader one(*set_, {.batch_size = 3, .threads = 1, .ahead = 1});
  Loader many(*set_, {.batch_size = 3, .threads = 4, .ahead = 5});

  const auto expected = all_batches(one, 2);
  const auto found = all_batches(many, 2);

  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) expect_same(found[i], expected[i]);
}

TEST_F(LoaderTest, RanksTogetherSeeWhatOneWithTheLargerBatchSees) {
  Loader whole(*set_, {.batch_size = 4, .threads = 2});
  Loader left(*set_, {.batch_size = 2, .threads = 1, .rank = 0, .ranks = 2});
  Loader right(*set_, {.batch_size = 2, .threads = 1, .rank = 1, .ranks = 2});

  const auto expected = all_batches(whole, 5);
  const auto first = all_batches(left, 5);
  const auto second = all_batches(right, 5);

  ASSERT_EQ(expected.size(), 3u);
  ASSERT_EQ(first.size(), 3u);
  ASSERT_EQ(second.size(), 3u);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::vector<std::uint8_t> images = first[i].images;
    images.insert(images.end(), second[i].images.begin(), second[i].images.end());
    std::vector<BatchLabel> labels = first[i].labels;
    for (BatchLabel label : second[i].labels) {
      label.image += first[i].count;
      labels.push_back(label);
    }
    EXPECT_EQ(images, expected[i].images);
    EXPECT_EQ(labels, expected[i].labels);
    EXPECT_EQ(first[i].global_count, expected[i].count);
    EXPECT_EQ(second[i].global_count, expected[i].count);
  }
}

TEST_F(LoaderTest, ARankWithoutImagesStillGetsABatch) {
  Loader loader(*set_, {.batch_size = 1, .threads = 2, .rank = 0, .ranks = 10});

  const auto batches = all_batches(loader, 0);

  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[1].count, 0u);  // One image is left for ten ranks, and the last one has it.
  EXPECT_EQ(batches[1].global_count, 1u);
}

TEST_F(LoaderTest, DropsTheLastWhenAsked) {
  Loader loader(*set_, {.batch_size = 4, .threads = 2, .drop_last = true});

  EXPECT_EQ(all_batches(loader, 0).size(), 2u);
}

TEST_F(LoaderTest, GoesOnWhereItWasLeft) {
  Loader loader(*set_, {.batch_size = 4, .threads = 2});

  const auto whole = all_batches(loader, 3);
  const auto rest = all_batches(loader, 3, 2);

  ASSERT_EQ(rest.size(), 1u);
  expect_same(rest[0], whole[2]);
  EXPECT_TRUE(all_batches(loader, 3, 3).empty());
  EXPECT_FALSE(loader.next());
}

TEST_F(LoaderTest, StartsAnewInTheMiddleOfAnEpoch) {
  Loader loader(*set_, {.batch_size = 2, .threads = 3});
  const auto expected = all_batches(loader, 1);

  for (int taken = 0; taken < 4; ++taken) {
    loader.start(0);
    for (int i = 0; i < taken; ++i) loader.next();
    const auto found = all_batches(loader, 1);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) expect_same(found[i], expected[i]);
  }
}

TEST_F(LoaderTest, UsesMemoryAgainThatIsGivenBack) {
  Loader loader(*set_, {.batch_size = 2, .threads = 1, .ahead = 1});
  std::set<const void*> places;

  for (int epoch = 0; epoch < 3; ++epoch) {
    loader.start(epoch);
    while (auto batch = loader.next()) {
      places.insert(batch->images.data());
      loader.give_back(std::move(*batch));
    }
  }

  EXPECT_LE(places.size(), 4u);
}

TEST_F(LoaderTest, EndsAtAnyMoment) {
  for (int taken = 0; taken < 5; ++taken) {
    Loader loader(*set_, {.batch_size = 2, .threads = 3});
    if (taken > 0) loader.start(0);
    for (int i = 1; i < taken; ++i) loader.next();
  }
}

TEST_F(LoaderTest, HandsOnWhatStoppedAnImage) {
  std::string damaged = read_file(small_.images()[6]);
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i) damaged[i] = 'x';
  write_file(small_.images()[6], damaged);
  const TrainingSet set(small_.images(), 3, {.size = {kSide, kSide}, .augment = false});
  Loader loader(set, {.batch_size = 2, .threads = 2, .shuffle = false});
  loader.start(0);

  for (int i = 0; i < 3; ++i) EXPECT_TRUE(loader.next());
  EXPECT_THAT(message_when([&] { loader.next(); }), HasSubstr("6.png' cannot be decoded"));
  EXPECT_FALSE(loader.next());
  loader.start(1, 4);
  EXPECT_TRUE(loader.next());
}

/// A sample of 3 EiB: more than there are addresses for; three are more than a vector counts.
constexpr int kHugeSide = 1 << 30;

/// Batches of so many huge samples: each epoch ends with the error.
template <typename Exception>
void expect_no_room(const std::vector<std::filesystem::path>& images, std::size_t batch_size) {
  const TrainingSet set(images, 3, {.size = {kHugeSide, kHugeSide}});
  Loader loader(set, {.batch_size = batch_size, .threads = 3});

  for (int epoch = 0; epoch < 3; ++epoch) {
    loader.start(epoch);
    EXPECT_THROW(loader.next(), Exception);
    EXPECT_FALSE(loader.next());
  }
}

TEST_F(LoaderTest, HandsOnThatABatchIsLargerThanAVectorCanBe) {
  expect_no_room<std::length_error>(small_.images(), 3);
}

TEST_F(LoaderTest, HandsOnThatMemoryHasNoRoomForABatch) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer ends a program that asks for as much";
#endif
  expect_no_room<std::bad_alloc>(small_.images(), 1);
}

TEST_F(LoaderTest, EndsWhileABatchHasNoRoom) {
  const TrainingSet set(small_.images(), 3, {.size = {kHugeSide, kHugeSide}});
  for (int wait_ms = 0; wait_ms < 5; ++wait_ms) {
    Loader loader(set, {.batch_size = 3, .threads = 3});
    loader.start(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  }
}

TEST_F(LoaderTest, RefusesOptionsThatMakeNoBatch) {
  const auto make = [&](const LoaderOptions& options) {
    return message_when([&] { Loader(*set_, options); });
  };

  EXPECT_THAT(make({.batch_size = 0}), HasSubstr("batches of no images"));
  EXPECT_THAT(make({.rank = 2, .ranks = 2}), HasSubstr("rank 2 of 2: expected 0 to 1"));
  EXPECT_THAT(make({.rank = 0, .ranks = 0}), HasSubstr("rank 0 of 0"));
  EXPECT_THAT(make({.ahead = 0}), HasSubstr("no batch ahead"));
  EXPECT_THAT(make({.batch_size = 12, .drop_last = true}), HasSubstr("11 images do not fill"));
  EXPECT_THAT(message_when([&] { Loader(*set_, {.threads = 1}).start(0, 2); }),
              HasSubstr("batch 2 of an epoch of 1"));
}

}  // namespace
}  // namespace yoloq::dataset
