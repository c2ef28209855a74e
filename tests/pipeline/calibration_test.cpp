// SPDX-License-Identifier: Apache-2.0
#include "pipeline/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <functional>
#include <thread>

#include "calibrate/ranges_cache.h"
#include "core/error.h"
#include "core/file.h"
#include "graph/shapes.h"
#include "graph/text.h"
#include "pipeline/model.h"
#include "pipeline/tiny_data_set.h"
#include "quantize/quantize.h"
#include "support/data.h"
#include "support/message.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr vision::Size kSize{64, 64};

/// The tiny detector with everything that quantization observes, and six images.
class Calibration : public testing::Test {
 protected:
  Calibration() {
    test::write_checkpoint(test::tiny_model(), folder_ / "tiny.pt");
    model_ = load_model(folder_ / "tiny.pt", {.size = kSize});
    const auto settings = quantize::settle(model_.graph, {});
    tensors_ = quantize::observed_tensors(settings);
    for (const auto& layer : settings.layers) {
      if (layer.feeds_head) heads_.push_back(model_.graph[layer.node].output());
    }
  }

  CalibrationResult calibrate(std::span<const fs::path> images, int threads = 1) const {
    return calibrate_model(model_.fixed, tensors_, images,
                           {.size = kSize,
                            .cache = folder_ / "cache",
                            .threads = threads,
                            .heads = heads_,
                            .classes = 3});
  }

  /// The bytes of a calibration without a cache.
  std::string bytes(std::span<const fs::path> images, int threads) const {
    fs::remove_all(folder_ / "cache");
    const CalibrationResult result = calibrate(images, threads);
    EXPECT_FALSE(result.cached);
    return calibrate::serialize(result.ranges);
  }

  test::TemporaryFolder folder_;
  test::TinyDataSet set_ = test::write_tiny_data_set(folder_.path());
  DetectionModel model_;
  std::vector<std::string> tensors_;
  std::vector<std::string> heads_;
};

TEST_F(Calibration, GrowingSetsFromOnePassAreWhatEachAloneGives) {
  const std::vector<std::size_t> counts{1, 3, set_.train.size()};
  CalibrationOptions options{.size = kSize, .threads = 2, .heads = heads_, .classes = 3};
  std::size_t computed = 0;
  options.progress = [&](std::size_t done, std::size_t) { computed = std::max(computed, done); };

  const auto grown = calibrate_growing_sets(model_.fixed, tensors_, set_.train, counts, options);

  ASSERT_EQ(grown.size(), counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_EQ(calibrate::serialize(grown[i].ranges), bytes(pick_images(set_.train, counts[i]), 1))
        << counts[i] << " images";
  }
  EXPECT_EQ(computed, set_.train.size());
}

TEST_F(Calibration, GrowingSetsAreFoundInTheCache) {
  const std::vector<std::size_t> counts{2, 4};
  calibrate_growing_sets(
      model_.fixed, tensors_, set_.train, counts,
      {.size = kSize, .cache = folder_ / "cache", .heads = heads_, .classes = 3});

  EXPECT_TRUE(calibrate(pick_images(set_.train, 2)).cached);
  EXPECT_TRUE(calibrate(pick_images(set_.train, 4)).cached);
  EXPECT_FALSE(calibrate(pick_images(set_.train, 3)).cached);
}

TEST_F(Calibration, GivesTheSameBytesForAnyThreadsAndOrder) {
  const std::string once = bytes(set_.train, 1);
  std::vector<fs::path> turned(set_.train.rbegin(), set_.train.rend());
  std::rotate(turned.begin(), turned.begin() + 2, turned.end());

  EXPECT_TRUE(bytes(set_.train, 2) == once);
  EXPECT_TRUE(bytes(turned, 1) == once);
  EXPECT_TRUE(bytes(turned, 2) == once);
  EXPECT_FALSE(bytes(std::span(set_.train).first(3), 1) == once);
}

/// Threads that stand for processes.
class Meeting {
 public:
  explicit Meeting(std::size_t count)
      : told_(count), barrier_(static_cast<std::ptrdiff_t>(count)) {}

  Processes place(std::size_t rank) {
    return {.rank = rank, .count = told_.size(), .gather = [this, rank](const std::string& bytes) {
              told_[rank] = bytes;
              barrier_.arrive_and_wait();
              const std::vector<std::string> all = told_;
              barrier_.arrive_and_wait();
              return all;
            }};
  }

  /// What body(rank) gives on each.
  std::vector<std::string> run(const std::function<std::string(std::size_t)>& body) const {
    std::vector<std::string> results(told_.size());
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < told_.size(); ++rank) {
      threads.emplace_back([&, rank] { results[rank] = body(rank); });
    }
    for (std::thread& thread : threads) thread.join();
    return results;
  }

 private:
  std::vector<std::string> told_;
  std::barrier<> barrier_;
};

TEST_F(Calibration, SharedByProcessesGivesEachTheBytesOfOne) {
  const std::string alone = bytes(set_.train, 1);
  for (const std::size_t count : {2, 3, 8}) {  // Of eight, two have no image.
    Meeting meeting(count);
    const auto all = meeting.run([&](std::size_t rank) {
      return calibrate::serialize(calibrate_model(model_.fixed, tensors_, set_.train,
                                                  {.size = kSize,
                                                   .threads = 1,
                                                   .heads = heads_,
                                                   .classes = 3,
                                                   .processes = meeting.place(rank)})
                                      .ranges);
    });
    EXPECT_THAT(all, Each(alone)) << count;
  }
}

TEST_F(Calibration, SharedByProcessesIsTakenFromAnyCacheThatHasIt) {
  const std::string alone = bytes(set_.train, 1);
  Meeting meeting(2);
  const auto all = meeting.run([&](std::size_t rank) {
    const CalibrationResult result =
        calibrate_model(model_.fixed, tensors_, set_.train,
                        {.size = kSize,
                         .cache = folder_ / (rank == 1 ? "cache" : "empty"),
                         .heads = heads_,
                         .classes = 3,
                         .processes = meeting.place(rank)});
    return result.cached ? calibrate::serialize(result.ranges) : "computed";
  });
  EXPECT_THAT(all, Each(alone));
}

TEST_F(Calibration, SharedByProcessesThatMeanDifferentImagesIsRefused) {
  Meeting meeting(2);
  const auto all = meeting.run([&](std::size_t rank) {
    return message_when([&] {
      calibrate_model(model_.fixed, tensors_, std::span(set_.train).subspan(rank),
                      {.size = kSize, .processes = meeting.place(rank)});
    });
  });
  EXPECT_THAT(all, Each(HasSubstr("another process calibrates other images")));
}

TEST_F(Calibration, LooksAtEveryTensorAndAtObjects) {
  const CalibrationResult result = calibrate(set_.train);

  EXPECT_EQ(result.ranges.tensors.size(), 2 * tensors_.size());
  for (const std::string& tensor : tensors_) {
    const auto& all = result.ranges.at(tensor);
    const auto& objects = result.ranges.at(quantize::objects_of(tensor));
    EXPECT_GT(objects.count, 0u) << tensor;
    EXPECT_LE(objects.count, all.count) << tensor;
  }
}

TEST_F(Calibration, SeesTheLetterboxedPixels) {
  const CalibrationResult result = calibrate(set_.train);

  const auto& pixels = result.ranges.at("images");
  EXPECT_EQ(pixels.count, set_.train.size() * 3 * 64 * 64);
  EXPECT_GE(pixels.min, 0.0f);
  EXPECT_GT(pixels.max, 0.5f);
  EXPECT_LE(pixels.max, 1.0f);
}

TEST_F(Calibration, IsReadFromTheCacheWhenAskedAgain) {
  const CalibrationResult first = calibrate(set_.train);

  const CalibrationResult again = calibrate(set_.train, 2);

  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(again.cached);
  EXPECT_EQ(again.ranges, first.ranges);
}

TEST_F(Calibration, OfAChangedImageIsDoneAnew) {
  calibrate(set_.train);
  vision::write_image(set_.train[2], test::tiny_image(999, {96, 64}));

  EXPECT_FALSE(calibrate(set_.train).cached);
  EXPECT_TRUE(calibrate(set_.train).cached);
}

TEST_F(Calibration, OfOtherImagesTensorsOrWeightsIsDoneAnew) {
  calibrate(set_.train);

  EXPECT_FALSE(calibrate(std::span(set_.train).first(5)).cached);
  tensors_.pop_back();
  EXPECT_FALSE(calibrate(set_.train).cached);
  for (auto& [name, constant] : model_.fixed.constants) {
    if (constant.dtype() != DType::f32 || constant.rank() != 4) continue;
    std::vector<float> values = constant.to_floats();
    values[0] += 1;
    constant = Tensor::of(constant.shape(), values);
    break;
  }
  EXPECT_FALSE(calibrate(set_.train).cached);
}

TEST_F(Calibration, OverABrokenCacheFileIsDoneAnew) {
  const CalibrationResult first = calibrate(set_.train);
  const fs::path file = calibrate::cache_path(folder_ / "cache", first.ranges.provenance.key);
  write_file(file, read_file(file).substr(0, 1000));

  const CalibrationResult again = calibrate(set_.train);

  EXPECT_FALSE(again.cached);
  EXPECT_EQ(again.ranges, first.ranges);
  EXPECT_TRUE(calibrate(set_.train).cached);
}

TEST_F(Calibration, NamesABadImage) {
  write_file(set_.train[1], "this is no image");

  EXPECT_THAT(message_when([&] { calibrate(set_.train); }), HasSubstr(set_.train[1].string()));
}

TEST_F(Calibration, SkipsABadImageWhereThatIsAskedAndKeepsNoCacheOfIt) {
  write_file(set_.train[1], "this is no image");
  const auto skip = [&] {
    return calibrate_model(
        model_.fixed, tensors_, set_.train,
        {.size = kSize, .cache = folder_ / "cache", .heads = {}, .skip_bad = true});
  };

  const CalibrationResult result = skip();

  EXPECT_THAT(result.skipped, ElementsAre(HasSubstr(set_.train[1].string())));
  EXPECT_EQ(result.ranges.at("images").count, 5u * 3 * 64 * 64);
  EXPECT_THAT(skip().skipped, ElementsAre(HasSubstr(set_.train[1].string())));
}

TEST_F(Calibration, OfBadImagesOnlyIsAnError) {
  write_file(set_.train[0], "this is no image");

  EXPECT_THAT(message_when([&] {
                calibrate_model(model_.fixed, tensors_, std::span(set_.train).first(1),
                                {.size = kSize, .skip_bad = true});
              }),
              HasSubstr("no calibration image could be decoded"));
}

TEST_F(Calibration, NamesLayerAndImageOfAnInfinity) {
  // log(0) is minus infinity: of a black pixel only.
  graph::Graph model = graph::parse(R"(
      input images float32[1,3,32,32]
      y = Log(images) @model.0.log
      return y)");
  graph::infer_shapes(model);
  const std::vector<fs::path> images{folder_ / "grey.png", folder_ / "black.png"};
  vision::write_image(images[0], test::plain_image(100, {32, 32}));
  vision::write_image(images[1], test::plain_image(0, {32, 32}));

  EXPECT_THAT(message_when([&] {
                calibrate_model(model, {"y"}, images, {.size = {32, 32}});
              }),
              AllOf(HasSubstr("'y'"), HasSubstr("black.png")));
}

}  // namespace
}  // namespace yoloq::pipeline
