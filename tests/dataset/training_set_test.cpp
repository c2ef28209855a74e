// SPDX-License-Identifier: Apache-2.0
#include "dataset/training_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <thread>

#include "core/error.h"
#include "dataset/label_cache.h"
#include "dataset/small_set.h"
#include "support/message.h"
#include "support/npz.h"

namespace yoloq::dataset {
namespace {

using test::message_when;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kNetworkSide = 96;

/// Everything that can be drawn, often.
Hyperparameters lively() {
  return {.degrees = 20,
          .translate = 0.2,
          .scale = 0.4,
          .shear = 5,
          .perspective = 0,
          .flipud = 0.5,
          .fliplr = 0.5,
          .mosaic = 0.6,
          .mixup = 0.5};
}

TrainingSetOptions options(const Hyperparameters& hyp, bool augment = true) {
  return {.size = {kNetworkSide, kNetworkSide}, .hyp = hyp, .augment = augment, .seed = 3};
}

/// What make_samples.py is told.
std::string plan_of(const Augmentation& drawn) {
  std::string lines;
  for (const Picture& picture : drawn.pictures) {
    const Perspective& p = picture.perspective;
    lines += fmt::format("picture {} {} {} {} {} {} {} {:a} {:a} {:a} {:a} {:a} {:a} {:a} {:a}\n",
                         picture.is_mosaic ? 1 : 0, picture.centre_x, picture.centre_y,
                         picture.images[0], picture.images[1], picture.images[2], picture.images[3],
                         p.angle_degrees, p.scale, p.shear_x_degrees, p.shear_y_degrees, p.tilt_x,
                         p.tilt_y, p.centre_x, p.centre_y);
  }
  const vision::HsvGains& gains = drawn.gains;
  if (drawn.change_colours) {
    lines += fmt::format("gains {:a} {:a} {:a}\n", gains.hue, gains.saturation, gains.value);
  }
  return lines + fmt::format("weight {:a}\nflip {} {}\n", drawn.weight, drawn.flip.up_down ? 1 : 0,
                             drawn.flip.left_right ? 1 : 0);
}

/// How samples differ from those of Python.
struct Differences {
  int samples = 0;
  int mosaics = 0;
  int mixed = 0;
  int most = 0;     ///< Of any byte.
  double mean = 0;  ///< Of all bytes.
};

Differences compare_with_python(const SmallSet& small, const TrainingSet& set, int epochs) {
  std::string plan =
      fmt::format("side {}\naugment {}\n", set.options().size.width, set.options().augment ? 1 : 0);
  for (std::size_t i = 0; i < small.images().size(); ++i) {
    plan += fmt::format("image {} {}\n", small.images()[i].string(), small.label_file(i).string());
  }
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      const Augmentation drawn = set.options().augment
                                     ? set.augmentation(epoch, i)
                                     : Augmentation{.pictures = {{.images = {i}}}};
      plan += plan_of(drawn) + fmt::format("sample s{}_{}\n", epoch, i);
    }
  }
  write_file(small.folder() / "plan.txt", plan);
  const auto npz = small.folder() / "samples.npz";
  const auto run = test::run_python("tests/dataset/make_samples.py",
                                    {(small.folder() / "plan.txt").string(), npz.string()});
  if (run.status != 0) throw Error(ErrorCode::bad_state, run.errors);
  const auto expected = test::read_npz(npz);

  Differences found;
  std::size_t bytes = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      const TrainingSample sample = set.sample(epoch, i);
      const std::string name = fmt::format("s{}_{}", epoch, i);
      const auto planes = expected.at(name + "_planes").values<std::uint8_t>();
      for (std::size_t k = 0; k < planes.size(); ++k) {
        const int away = std::abs(int{planes[k]} - int{sample.planes[k]});
        found.most = std::max(found.most, away);
        found.mean += away;
      }
      bytes += planes.size();
      const auto labels = expected.at(name + "_labels").values<float>();
      EXPECT_EQ(labels.size(), 5 * sample.labels.size()) << name;
      for (std::size_t k = 0; k < std::min(labels.size() / 5, sample.labels.size()); ++k) {
        const TrainingLabel& label = sample.labels[k];
        EXPECT_EQ(label.class_index, static_cast<int>(labels[5 * k])) << name;
        EXPECT_NEAR(label.x, labels[5 * k + 1], 1e-6) << name;
        EXPECT_NEAR(label.y, labels[5 * k + 2], 1e-6) << name;
        EXPECT_NEAR(label.width, labels[5 * k + 3], 1e-6) << name;
        EXPECT_NEAR(label.height, labels[5 * k + 4], 1e-6) << name;
      }
      ++found.samples;
      if (!set.options().augment) continue;
      const Augmentation drawn = set.augmentation(epoch, i);
      found.mosaics += drawn.pictures.front().is_mosaic ? 1 : 0;
      found.mixed += drawn.pictures.size() == 2 ? 1 : 0;
    }
  }
  found.mean /= static_cast<double>(bytes);
  return found;
}

/// OpenCV up to 4 rounds where a warp takes a pixel from to 1/32 pixel, OpenCV 5 does not: a step
/// of 255 between neighbours is moved by up to 1/64 pixel each in x and y, and rounded once. Built
/// with the OpenCV that Python has (4.6.0), yoloq's bytes are the same.
constexpr int kMostByRounding = 255 / 64 + 255 / 64 + 1;
constexpr double kMeanByRounding = 0.3;

TEST(TrainingSet, WithoutAugmentationIsTheLetterboxOfPython) {
  SmallSet small;
  fill(small);
  const TrainingSet set(small.images(), 3, options({}, false));

  EXPECT_EQ(compare_with_python(small, set, 1).most, 0);
}

TEST(TrainingSet, MakesTheSamplesOfPythonFromWhatWasDrawn) {
  SmallSet small;
  fill(small);
  Hyperparameters hyp = lively();
  hyp.hsv_h = hyp.hsv_s = hyp.hsv_v = 0;
  const TrainingSet set(small.images(), 3, options(hyp));

  const Differences found = compare_with_python(small, set, 8);

  EXPECT_LE(found.most, kMostByRounding);
  EXPECT_LE(found.mean, kMeanByRounding);
  EXPECT_GT(found.mosaics, 10);
  EXPECT_LT(found.mosaics, 40);
  EXPECT_GT(found.mixed, 5);
}

TEST(TrainingSet, TiltsAsPythonDoes) {
  SmallSet small;
  fill(small);
  Hyperparameters hyp = lively();
  hyp.hsv_h = hyp.hsv_s = hyp.hsv_v = 0;
  hyp.perspective = 0.001;
  const TrainingSet set(small.images(), 3, options(hyp));

  const Differences found = compare_with_python(small, set, 4);

  EXPECT_LE(found.most, kMostByRounding);
  EXPECT_LE(found.mean, kMeanByRounding);
}

TEST(TrainingSet, ChangesColoursAndFlipsToTheByteAsPythonDoes) {
  SmallSet small;
  fill(small);
  const Hyperparameters hyp{.hsv_h = 0.5,
                            .hsv_s = 0.9,
                            .hsv_v = 0.9,
                            .translate = 0,
                            .scale = 0,
                            .flipud = 0.5,
                            .fliplr = 0.5,
                            .mosaic = 0};
  const TrainingSet set(small.images(), 3, options(hyp));

  EXPECT_EQ(compare_with_python(small, set, 6).most, 0);
}

TEST(TrainingSet, SamplesDependOnSeedEpochAndIndexAlone) {
  SmallSet small;
  fill(small);
  const TrainingSet set(small.images(), 3, options(lively()));
  const TrainingSet cached = [&] {
    TrainingSetOptions kept = options(lively());
    kept.cache_bytes = 60'000;  // Room for two or three of the images.
    return TrainingSet(small.images(), 3, kept);
  }();
  TrainingSetOptions other_seed = options(lively());
  other_seed.seed = 4;
  const TrainingSet other(small.images(), 3, other_seed);

  std::vector<TrainingSample> backwards(set.size());
  std::vector<std::thread> threads;
  for (std::size_t i = set.size(); i-- > 0;) {
    threads.emplace_back([&, i] { backwards[i] = cached.sample(1, i); });
  }
  for (std::thread& thread : threads) thread.join();

  for (std::size_t i = 0; i < set.size(); ++i) {
    const TrainingSample sample = set.sample(1, i);
    EXPECT_EQ(sample.planes, backwards[i].planes);
    EXPECT_EQ(sample.labels, backwards[i].labels);
    EXPECT_NE(sample.planes, set.sample(2, i).planes);
    EXPECT_NE(sample.planes, other.sample(1, i).planes);
  }
}

TEST(TrainingSet, DrawsWhatTheHyperparametersSay) {
  SmallSet small;
  fill(small);
  Hyperparameters hyp = lively();
  hyp.hsv_h = 0.1;
  hyp.hsv_s = 0.5;
  hyp.hsv_v = 0.25;
  const TrainingSet set(small.images(), 3, options(hyp));

  int mosaics = 0, mixed = 0, up_down = 0, left_right = 0;
  std::set<std::size_t> partners;
  constexpr int kEpochs = 400;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const Augmentation drawn = set.augmentation(epoch, 2);
    for (const Picture& picture : drawn.pictures) {
      EXPECT_LE(std::abs(picture.perspective.angle_degrees), 20);
      EXPECT_NEAR(picture.perspective.scale, 1, 0.4);
      EXPECT_LE(std::abs(picture.perspective.shear_x_degrees), 5);
      EXPECT_NEAR(picture.perspective.centre_y, 0.5, 0.2);
      if (!picture.is_mosaic) continue;
      EXPECT_THAT(picture.centre_x,
                  testing::AllOf(testing::Ge(kNetworkSide / 2), testing::Lt(144)));
      partners.insert(picture.images.begin(), picture.images.end());
    }
    const Picture& first = drawn.pictures.front();
    EXPECT_THAT(first.images, testing::Contains(2u));
    EXPECT_NEAR(drawn.gains.hue, 1, 0.1);
    EXPECT_NEAR(drawn.gains.saturation, 1, 0.5);
    EXPECT_NEAR(drawn.gains.value, 1, 0.25);
    mosaics += first.is_mosaic ? 1 : 0;
    mixed += drawn.pictures.size() == 2 ? 1 : 0;
    up_down += drawn.flip.up_down ? 1 : 0;
    left_right += drawn.flip.left_right ? 1 : 0;
  }

  constexpr double kFiveDeviations = 5 * 10;  // sqrt(400 * 0.5 * 0.5) = 10.
  EXPECT_NEAR(mosaics, 0.6 * kEpochs, kFiveDeviations);
  EXPECT_NEAR(mixed, 0.6 * 0.5 * kEpochs, kFiveDeviations);
  EXPECT_NEAR(up_down, 0.5 * kEpochs, kFiveDeviations);
  EXPECT_NEAR(left_right, 0.5 * kEpochs, kFiveDeviations);
  EXPECT_THAT(partners, SizeIs(5));
}

TEST(TrainingSet, WithoutChanceIsTheImage) {
  SmallSet small;
  small.add({kNetworkSide, kNetworkSide}, "1 0.5 0.5 0.25 0.5\n");
  const Hyperparameters still{
      .hsv_h = 0, .hsv_s = 0, .hsv_v = 0, .translate = 0, .scale = 0, .fliplr = 0, .mosaic = 0};
  const TrainingSet set(small.images(), 3, options(still));

  const TrainingSample sample = set.sample(0, 0);

  std::vector<std::uint8_t> planes(3 * kNetworkSide * kNetworkSide);
  vision::write_planes(planes, vision::read_image(small.images()[0]));
  EXPECT_EQ(sample.planes, planes);
  EXPECT_THAT(sample.labels, ElementsAre(TrainingLabel{1, 0.5, 0.5, 0.25, 0.5}));
}

TEST(TrainingSet, OfOneImageMakesMosaicsOfIt) {
  SmallSet small;
  small.add({60, 90}, "");
  small.add({60, 90}, "0 0.5 0.5 0.5 0.5");
  const TrainingSet set({small.images()[1]}, 1, options({}));

  EXPECT_THAT(set.sample(0, 0).labels, testing::Not(IsEmpty()));
}

TEST(TrainingSet, NamesWhatItCannotUse) {
  SmallSet small;
  fill(small);
  const auto make = [&] { TrainingSet(small.images(), 3, options({})); };

  EXPECT_THAT(message_when([&] { TrainingSet({}, 3, options({})); }), HasSubstr("empty data set"));
  EXPECT_THAT(message_when([&] {
                TrainingSet(small.images(), 3, {.size = {96, 64}});
              }),
              HasSubstr("96 x 64 pixels: expected a square"));
  EXPECT_THAT(message_when([&] { TrainingSet(small.images(), 2, options({})); }),
              HasSubstr("1.txt:1: class 2, expected 0 to 1"));
  EXPECT_THAT(message_when([&] { TrainingSet(small.images(), 3, options({})).sample(0, 5); }),
              HasSubstr("sample 5 of 5 images"));
  write_file(small.label_file(3), "0 0.5 0.5 1.5 1\n");
  EXPECT_THAT(message_when(make), HasSubstr("3.txt:1: coordinate 1.5"));
  for (std::size_t i = 0; i < 5; ++i) std::filesystem::remove(small.label_file(i));
  EXPECT_THAT(message_when(make), HasSubstr("none of the 5 images has a label file; looked for"));
}

TEST(TrainingSet, LeavesImagesOutWhoseFilesAreBad) {
  SmallSet small;
  fill(small);
  const std::string whole = read_file(small.images()[1]);
  write_file(small.images()[1], whole.substr(0, whole.size() - 40));
  std::filesystem::remove(small.images()[2]);
  TrainingSetOptions skip = options({});
  skip.skip_bad = true;

  const std::string message = message_when([&] { TrainingSet(small.images(), 3, options({})); });
  const TrainingSet set(small.images(), 3, skip);

  EXPECT_THAT(message, HasSubstr("2 of 5 images cannot be used"));
  EXPECT_THAT(message, HasSubstr("1.png' is incomplete"));
  EXPECT_THAT(message, HasSubstr("2.png"));
  EXPECT_EQ(set.size(), 3u);
  EXPECT_THAT(set.notices(), ElementsAre(HasSubstr("1.png"), HasSubstr("2.png")));
}

TEST(TrainingSet, PutsTheNextImageInTheStepsOfADamagedOne) {
  SmallSet small;
  fill(small);
  std::string damaged = read_file(small.images()[1]);
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i) damaged[i] = 'x';
  write_file(small.images()[1], damaged);
  TrainingSetOptions skip = options({}, false);
  skip.skip_bad = true;
  const TrainingSet strict(small.images(), 3, options({}, false));
  const TrainingSet set(small.images(), 3, skip);

  const std::string message = message_when([&] { strict.sample(0, 1); });
  const TrainingSample sample = set.sample(0, 1);

  EXPECT_THAT(message, HasSubstr("1.png' cannot be decoded"));
  EXPECT_EQ(sample.planes, set.sample(0, 2).planes);
  EXPECT_EQ(sample.labels, set.sample(0, 2).labels);
  EXPECT_THAT(set.notices(), ElementsAre(HasSubstr("left out: image '")));
}

TrainingSetOptions without_labels(TrainingSetOptions options) {
  options.need_labels = false;
  return options;
}

TEST(TrainingSet, WithoutNeedOfLabelsMakesTheSameImages) {
  SmallSet small;
  fill(small);
  write_file(small.images()[3], "no image");
  Hyperparameters hyp = lively();
  hyp.hsv_h = hyp.hsv_s = hyp.hsv_v = 0.5;
  for (const bool augment : {true, false}) {
    TrainingSetOptions skip = options(hyp, augment);
    skip.skip_bad = true;
    const TrainingSet labelled(small.images(), 3, skip);
    const TrainingSet set(small.images(), 3, without_labels(skip));

    EXPECT_EQ(set.index().images, labelled.index().images);
    EXPECT_EQ(set.index().sizes, labelled.index().sizes);
    EXPECT_EQ(set.index().bad, labelled.index().bad);
    std::size_t boxes = 0;
    for (int epoch = 0; epoch < 4; ++epoch) {
      for (std::size_t i = 0; i < set.size(); ++i) {
        const TrainingSample expected = labelled.sample(epoch, i);
        const TrainingSample sample = set.sample(epoch, i);
        EXPECT_EQ(sample.planes, expected.planes) << "image " << i << " of epoch " << epoch;
        EXPECT_THAT(sample.labels, IsEmpty());
        boxes += expected.labels.size();
      }
    }
    EXPECT_GT(boxes, 16u);
  }
}

TEST(TrainingSet, WithoutNeedOfLabelsReadsNoLabelFile) {
  SmallSet small;
  fill(small);
  write_file(small.label_file(0), "no label");
  std::filesystem::remove(small.label_file(1));
  std::filesystem::remove(small.label_file(2));
  std::filesystem::create_directory(small.label_file(2));
  const TrainingSet set(small.images(), 1, without_labels(options({})));  // Labels are of three.
  std::filesystem::remove_all(small.folder() / "labels");
  const TrainingSet bare(small.images(), 1, without_labels(options({})));

  EXPECT_EQ(set.size(), 5u);
  EXPECT_EQ(bare.index(), set.index());
  EXPECT_THAT(bare.index().labels, IsEmpty());
  EXPECT_EQ(bare.index().unlabelled, 0u);
  EXPECT_THAT(message_when([&] { TrainingSet({}, 1, without_labels(options({}))); }),
              HasSubstr("empty data set"));
}

TEST(TrainingSet, WithoutNeedOfLabelsLeavesTheLabelCacheAlone) {
  SmallSet small;
  fill(small);
  make_old(small);
  const auto cache = label_cache_path(small.images());

  TrainingSet(small.images(), 3, without_labels(options({})));
  EXPECT_FALSE(std::filesystem::exists(cache));

  TrainingSet(small.images(), 3, options({}));
  const std::string kept = read_file(cache);
  const TrainingSet set(small.images(), 3, without_labels(options({})));
  EXPECT_THAT(set.index().labels, IsEmpty());
  EXPECT_THAT(set.notices(), IsEmpty());
  EXPECT_EQ(read_file(cache), kept);
}

/// Of another start.
std::string fingerprint(std::vector<std::filesystem::path> images, bool need_labels = true) {
  TrainingSetOptions chosen = options({});
  chosen.need_labels = need_labels;
  return TrainingSet(std::move(images), 3, chosen).fingerprint();
}

TEST(TrainingSet, HasTheSameFingerprintInAnotherFolder) {
  SmallSet small;
  fill(small);
  const test::TemporaryFolder other;
  std::filesystem::copy(small.folder().path(), other / "moved",
                        std::filesystem::copy_options::recursive);
  std::vector<std::filesystem::path> moved;
  for (const auto& image : small.images()) {
    moved.push_back(other / "moved/images/train" / image.filename());
  }
  const std::string first = fingerprint(small.images());

  EXPECT_THAT(first, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(fingerprint(moved), first);
  EXPECT_EQ(fingerprint(moved, false), fingerprint(small.images(), false));
  make_old(small);
  EXPECT_EQ(fingerprint(small.images()), first);
  ASSERT_TRUE(std::filesystem::exists(label_cache_path(small.images())));
  EXPECT_EQ(fingerprint(small.images()), first);  // From the cache.
}

TEST(TrainingSet, HasAnotherFingerprintWithOtherImages) {
  SmallSet small;
  fill(small);
  auto images = small.images();
  for (const bool need_labels : {true, false}) {
    const std::string first = fingerprint(images, need_labels);
    const auto backwards = std::vector(images.rbegin(), images.rend());
    const auto fewer = std::vector(images.begin(), images.end() - 1);
    auto renamed = images;
    renamed[1].replace_filename("renamed.png");
    std::filesystem::copy(images[1], renamed[1], std::filesystem::copy_options::overwrite_existing);
    write_file(small.folder() / "labels/train/renamed.txt", read_file(small.label_file(1)));

    EXPECT_NE(fingerprint(backwards, need_labels), first);
    EXPECT_NE(fingerprint(fewer, need_labels), first);
    EXPECT_NE(fingerprint(renamed, need_labels), first);
    const std::string whole = read_file(images[1]);
    vision::write_image(images[1], blobs({51, 80}, 1));
    EXPECT_NE(fingerprint(images, need_labels), first);
    write_file(images[1], whole);
    EXPECT_EQ(fingerprint(images, need_labels), first);
  }
}

TEST(TrainingSet, HasAnotherFingerprintWithOtherLabelsWhereItNeedsThem) {
  SmallSet small;
  fill(small);
  const std::string first = fingerprint(small.images());
  const std::string unlabelled = fingerprint(small.images(), false);
  const std::string one = read_file(small.label_file(1));
  const std::string three = read_file(small.label_file(3));
  const std::vector<std::pair<std::string, std::string>> others{
      {"1 0.6 0.5 0.5 0.3\n", three},   // A class.
      {"2 0.6 0.5 0.5 0.31\n", three},  // A side.
      {three, one},                     // Those of another image.
      {one + three, ""},                // All of one image.
      {"", three},
  };

  EXPECT_NE(unlabelled, first);
  for (const auto& [of_one, of_three] : others) {
    write_file(small.label_file(1), of_one);
    write_file(small.label_file(3), of_three);
    EXPECT_NE(fingerprint(small.images()), first) << of_one;
    EXPECT_EQ(fingerprint(small.images(), false), unlabelled) << of_one;
  }
  write_file(small.label_file(1), "2  0.60 0.5 0.5 0.3\n\n");  // The same label.
  write_file(small.label_file(3), three);
  EXPECT_EQ(fingerprint(small.images()), first);
}

}  // namespace
}  // namespace yoloq::dataset
