// SPDX-License-Identifier: Apache-2.0
#include "pipeline/image_stream.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <ostream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/decodable.h"
#include "pipeline/mean_engine.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr vision::Size kSize{32, 32};

/// Images of one grey each: image i has the value 10 * i, so that its mean tells it.
class ImageStream : public testing::Test {
 protected:
  void write_images(int count) {
    for (int i = 0; i < count; ++i) {
      images_.push_back(folder_ / fmt::format("{}.png", i));
      vision::write_image(images_.back(),
                          test::plain_image(static_cast<std::uint8_t>(10 * i), kSize));
    }
  }

  void break_image(std::size_t index) { write_file(images_.at(index), "this is no image"); }

  /// What was consumed: index of the image, mean that the engine computed.
  StreamReport stream(const StreamOptions& options) {
    return stream_images(engine_, images_, options,
                         [&](std::span<const Item> items, runtime::Request& request) {
                           const auto means = request.output(0).values<float>();
                           const std::scoped_lock lock(mutex_);
                           for (const Item& item : items) {
                             EXPECT_EQ(item.placement.original, kSize);
                             means_[item.index].push_back(means[item.slot]);
                           }
                         });
  }

  void expect_each_once(std::size_t count) {
    EXPECT_EQ(means_.size(), count);
    for (const auto& [index, means] : means_) {
      ASSERT_EQ(means.size(), 1u) << "image " << index;
      EXPECT_NEAR(means[0], static_cast<double>(index) * 10 / 255, 1e-6) << "image " << index;
    }
  }

  test::TemporaryFolder folder_;
  std::vector<fs::path> images_;
  test::MeanEngine engine_;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<float>> means_;
};

struct Load {
  int images;
  int batch;
  int workers;
  bool fixed_batch;
};

void PrintTo(const Load& load, std::ostream* out) {
  *out << load.images << "Images" << load.batch << "PerBatch" << load.workers << "Workers"
       << (load.fixed_batch ? "Padded" : "Short");
}

class EveryLoad : public ImageStream, public testing::WithParamInterface<Load> {};

TEST_P(EveryLoad, EachImageIsConsumedOnceWithItsOwnOutput) {
  const auto [count, batch, workers, fixed_batch] = GetParam();
  write_images(count);

  const StreamReport report =
      stream({.size = kSize, .batch = batch, .fixed_batch = fixed_batch, .workers = workers});

  expect_each_once(static_cast<std::size_t>(count));
  EXPECT_EQ(report.images, static_cast<std::size_t>(count));
  EXPECT_EQ(engine_.runs, (count + batch - 1) / batch);
  if (fixed_batch) {
    EXPECT_THAT(engine_.batches(), Each(batch));
  }
}

INSTANTIATE_TEST_SUITE_P(Loads, EveryLoad,
                         testing::Values(Load{1, 1, 1, true}, Load{7, 1, 3, true},
                                         Load{7, 3, 1, true}, Load{7, 3, 2, true},
                                         Load{8, 4, 5, true}, Load{3, 8, 2, true},
                                         Load{7, 3, 2, false}, Load{5, 2, 0, false}),
                         testing::PrintToStringParamName());

TEST_F(ImageStream, AShortLastBatchIsShortWhereTheEngineAllowsIt) {
  write_images(7);

  stream({.size = kSize, .batch = 3, .fixed_batch = false});

  EXPECT_THAT(engine_.batches(), ElementsAre(1, 3, 3));
}

TEST_F(ImageStream, NoImagesAreNoWork) {
  const StreamReport report = stream({.size = kSize});

  EXPECT_EQ(report.images, 0u);
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(ImageStream, ABadImageEndsTheRunWithItsPath) {
  write_images(4);
  break_image(2);

  EXPECT_THAT(message_when([&] { stream({.size = kSize, .batch = 2}); }),
              HasSubstr(images_[2].string()));
}

TEST_F(ImageStream, ABadImageIsSkippedAndNamedWhereThatIsAsked) {
  write_images(6);
  break_image(1);
  break_image(4);

  const StreamReport report = stream({.size = kSize, .batch = 3, .workers = 2, .skip_bad = true});

  EXPECT_EQ(report.images, 4u);
  EXPECT_THAT(report.skipped, ElementsAre(HasSubstr("1.png"), HasSubstr("4.png")));
  EXPECT_THAT(report.skipped_indices, ElementsAre(1, 4));
  EXPECT_FALSE(means_.contains(1));
  EXPECT_FALSE(means_.contains(4));
  expect_each_once(4);
}

TEST_F(ImageStream, DecodableAreTheImagesThatAreNotSkipped) {
  write_images(6);
  break_image(1);
  break_image(4);

  const Decodable found = decodable(images_);

  EXPECT_THAT(found.images, ElementsAre(images_[0], images_[2], images_[3], images_[5]));
  EXPECT_EQ(found.skipped, stream({.size = kSize, .skip_bad = true}).skipped);
}

TEST_F(ImageStream, DecodableTakesNoMissingImageForABadOne) {
  write_images(2);
  fs::remove(images_[1]);

  EXPECT_THAT(message_when([&] { decodable(images_); }), HasSubstr(images_[1].string()));
}

TEST_F(ImageStream, ABatchOfBadImagesOnlyIsNotRun) {
  write_images(2);
  break_image(0);
  break_image(1);

  const StreamReport report = stream({.size = kSize, .batch = 2, .skip_bad = true});

  EXPECT_EQ(report.images, 0u);
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(ImageStream, AMissingImageIsAnErrorEvenWhereBadOnesAreSkipped) {
  write_images(2);
  fs::remove(images_[1]);

  EXPECT_THAT(message_when([&] { stream({.size = kSize, .skip_bad = true}); }),
              HasSubstr(images_[1].string()));
}

TEST_F(ImageStream, AnErrorOfAWorkerEndsTheRun) {
  write_images(20);
  engine_.fail_at_run = 3;

  EXPECT_THAT(message_when([&] { stream({.size = kSize, .workers = 3}); }),
              HasSubstr("the fake fails"));
  EXPECT_LE(engine_.runs, 3 + 1 + 2);  // The failing run and what the other workers had begun.
}

TEST_F(ImageStream, AnErrorOfTheConsumerEndsTheRun) {
  write_images(3);

  EXPECT_THAT(message_when([&] {
                stream_images(engine_, images_, {.size = kSize},
                              [](auto, auto&) { fail(ErrorCode::bad_value, "NaN in layer 3"); });
              }),
              HasSubstr("NaN in layer 3"));
}

TEST_F(ImageStream, ProgressRisesToAllImagesAndMayCancel) {
  write_images(5);
  std::vector<std::size_t> steps;

  stream({.size = kSize, .batch = 2, .workers = 2, .progress = [&](auto done, auto total) {
            EXPECT_EQ(total, 5u);
            steps.push_back(done);
          }});

  EXPECT_TRUE(std::ranges::is_sorted(steps));
  EXPECT_EQ(steps.back(), 5u);
  const auto cancel = [](auto, auto) { fail(ErrorCode::cancelled, "stopped by the user"); };
  EXPECT_THAT(message_when([&] { stream({.size = kSize, .progress = cancel}); }),
              HasSubstr("stopped by the user"));
}

}  // namespace
}  // namespace yoloq::pipeline
