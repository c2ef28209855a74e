// SPDX-License-Identifier: Apache-2.0
#include "dataset/shapes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/file.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "dataset/resolve.h"
#include "dataset/small_set.h"
#include "dataset/training_set.h"
#include "support/data.h"
#include "vision/header.h"

namespace yoloq::dataset {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

const ShapesOptions kSmall{
    .train_images = 6, .val_images = 3, .side = 96, .class_count = 3, .threads = 1};

/// Path below the folder to content.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return files;
}

std::string message_of(const fs::path& folder, const ShapesOptions& options) {
  try {
    write_shapes(folder, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "no error";
}

TEST(DrawShapes, EachImageShowsOneToEightShapesWithinItsEdges) {
  const ShapesOptions options{.side = 160, .class_count = 5};
  std::vector<int> per_class(5, 0);
  std::vector<int> per_count(9, 0);
  double smallest = 1e9;
  double largest = 0;
  for (std::uint64_t i = 0; i < 120; ++i) {
    const ShapesImage made = draw_shapes(options, Random(3).stream(i));
    EXPECT_EQ(made.image.size, (vision::Size{.width = 160, .height = 160}));
    ASSERT_THAT(made.labels, SizeIs(AllOf(Ge(1u), Le(8u))));
    ++per_count[made.labels.size()];
    for (const Label& label : made.labels) {
      ++per_class.at(static_cast<std::size_t>(label.class_index));
      EXPECT_GE(label.x - label.width / 2, -1e-6);
      EXPECT_GE(label.y - label.height / 2, -1e-6);
      EXPECT_LE(label.x + label.width / 2, 1 + 1e-6);
      EXPECT_LE(label.y + label.height / 2, 1 + 1e-6);
      smallest = std::min(smallest, 160 * std::max(label.width, label.height));
      largest = std::max(largest, std::max(label.width, label.height));
    }
  }

  EXPECT_THAT(per_class, testing::Each(Ge(60)));  // Of about 540.
  EXPECT_THAT(std::vector(per_count.begin() + 1, per_count.end()), testing::Each(Ge(3)));
  EXPECT_LT(smallest, 12);
  EXPECT_LE(largest, 0.5);
  EXPECT_GT(largest, 0.45);
}

TEST(DrawShapes, TheSmallestIsAsLargeAsAskedFor) {
  const ShapesOptions options{.side = 160, .class_count = 5, .smallest = 60, .visible = 1};
  for (std::uint64_t i = 0; i < 40; ++i) {
    for (const Label& label : draw_shapes(options, Random(3).stream(i)).labels) {
      // Wholly in sight, so no edge cuts it; squeezed, a shape is less across one way.
      EXPECT_GE(160 * std::max(label.width, label.height), 40);
    }
  }
}

TEST(DrawShapes, TheSameStreamGivesTheSameImageAndAnotherAnother) {
  const auto draw = [](std::uint64_t seed) { return draw_shapes(kSmall, Random(seed)); };

  EXPECT_EQ(draw(1).image, draw(1).image);
  EXPECT_EQ(draw(1).labels, draw(1).labels);
  EXPECT_NE(draw(1).image, draw(2).image);
}

TEST(WriteShapes, WritesADataSetThatIsReadBackAsItWasDrawn) {
  const test::TemporaryFolder folder;
  const fs::path out = folder / "it's shapes";

  const ShapesSummary summary = write_shapes(out, kSmall);

  const Dataset dataset = read_data_yaml(out / "data.yaml");
  EXPECT_THAT(dataset.names, ElementsAre("circle", "rectangle", "triangle"));
  const ImageList train = list_images(dataset, "train");
  EXPECT_THAT(train, SizeIs(6));
  EXPECT_THAT(list_images(dataset, "val"), SizeIs(3));
  EXPECT_EQ(summary.images, 9u);

  for (std::size_t i = 0; i < train.size(); ++i) {
    const auto labels = parse_labels(read_file(label_path(train[i])), "labels", 3);
    const auto drawn = draw_shapes(kSmall, Random(0).stream(0).stream(i)).labels;
    ASSERT_EQ(labels.size(), drawn.size());
    for (std::size_t k = 0; k < labels.size(); ++k) {
      EXPECT_EQ(labels[k].class_index, drawn[k].class_index);
      EXPECT_NEAR(labels[k].x, drawn[k].x, 1e-6);
      EXPECT_NEAR(labels[k].height, drawn[k].height, 1e-6);
    }
    EXPECT_EQ(vision::read_image(train[i]).size, (vision::Size{.width = 96, .height = 96}));
  }
}

TEST(WriteShapes, TheDataSetMayBeMovedAndRenamed) {
  const test::TemporaryFolder folder;
  write_shapes(folder / "made", kSmall);
  fs::create_directories(folder / "elsewhere");
  fs::rename(folder / "made", folder / "elsewhere/renamed");

  const Dataset dataset = read_data_yaml(folder / "elsewhere/renamed/data.yaml");

  EXPECT_THAT(list_images(dataset, "train"), SizeIs(6));
}

TEST(WriteShapes, FilesAreTheSameForAnyNumberOfThreads) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  write_shapes(folder / "set", options);
  const auto of_one = files_of(folder / "set");
  options.threads = 4;
  options.force = true;
  write_shapes(folder / "set", options);

  EXPECT_EQ(files_of(folder / "set"), of_one);
}

TEST(WriteShapes, AnImageDoesNotDependOnHowManyThereAre) {
  const test::TemporaryFolder few;
  const test::TemporaryFolder many;
  ShapesOptions options = kSmall;
  write_shapes(few / "set", options);
  options.train_images = 9;
  write_shapes(many / "set", options);

  const auto expected = files_of(few / "set");
  auto files = files_of(many / "set");
  EXPECT_EQ(files.at("images/train/000005.jpg"), expected.at("images/train/000005.jpg"));
  EXPECT_EQ(files.at("images/val/000002.jpg"), expected.at("images/val/000002.jpg"));
  EXPECT_NE(files.at("images/val/000002.jpg"), files.at("images/train/000002.jpg"));
}

TEST(WriteShapes, CallsProgressForEveryImage) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  std::vector<std::size_t> calls;
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 9u);
    calls.push_back(done);
  };
  write_shapes(folder / "set", options);

  EXPECT_THAT(calls, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(WriteShapes, ForceReplacesAnEarlierDataSetWholly) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  write_shapes(folder / "set", options);
  options.train_images = 2;

  EXPECT_THAT(message_of(folder / "set", options),
              AllOf(HasSubstr("not empty"), HasSubstr("--force")));
  options.force = true;
  write_shapes(folder / "set", options);

  EXPECT_THAT(list_images(read_data_yaml(folder / "set/data.yaml"), "train"), SizeIs(2));
}

TEST(WriteShapes, ForceReplacesADataSetThatWasTrainedOn) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  write_shapes(folder / "set", options);
  const auto untrained = files_of(folder / "set");
  make_old(folder.path());
  for (const char* split : {"train", "val"}) {
    const TrainingSet set(list_images(folder / "set/images" / split), 3, {.size = {96, 96}});
    write_file(folder / fmt::format("set/labels/{}.yoloq-cache", split), "of an earlier version");
  }
  ASSERT_THAT(files_of(folder / "set"), SizeIs(untrained.size() + 4));

  options.force = true;
  write_shapes(folder / "set", options);

  EXPECT_EQ(files_of(folder / "set"), untrained);
}

TEST(WriteShapes, ForceRefusesCachesThatAreNotOfItsLabels) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  write_shapes(folder / "set", options);
  options.force = true;

  for (const char* file : {"train.yoloq-cache", "labels/all.yoloq-cache", "labels/train.cache",
                           "images/train.yoloq-cache", "labels/train/000000.yoloq-cache"}) {
    write_file(folder / "set" / file, "mine");
    const auto before = files_of(folder / "set");
    EXPECT_THAT(message_of(folder / "set", options), HasSubstr(file));
    EXPECT_EQ(files_of(folder / "set"), before);
    fs::remove(folder / "set" / file);
  }
}

TEST(WriteShapes, ForceTouchesNothingIfAnythingElseLiesThere) {
  const test::TemporaryFolder folder;
  ShapesOptions options = kSmall;
  write_shapes(folder / "set", options);
  write_file(folder / "set/images/train/holiday.jpg", "mine");
  options.force = true;
  const auto before = files_of(folder / "set");

  EXPECT_THAT(message_of(folder / "set", options), HasSubstr("holiday.jpg"));
  EXPECT_EQ(files_of(folder / "set"), before);
}

TEST(WriteShapes, RefusesNumbersOutOfRangeAndWritesNothing) {
  const test::TemporaryFolder folder;
  const auto with = [](auto change) {
    ShapesOptions options = kSmall;
    change(options);
    return options;
  };
  const std::vector<std::pair<ShapesOptions, std::string>> rows{
      {with([](auto& o) { o.class_count = 1; }), "1 classes of shapes; expected 2 to 5"},
      {with([](auto& o) { o.class_count = 6; }), "6 classes of shapes; expected 2 to 5"},
      {with([](auto& o) { o.side = 63; }),
       "63 pixels as the side of an image; expected 64 to 2048"},
      {with([](auto& o) { o.train_images = 0; }), "0 images to train on"},
      {with([](auto& o) { o.val_images = -1; }), "-1 images to validate on"},
      {with([](auto& o) { o.threads = -2; }), "-2 threads"},
      {with([](auto& o) { o.smallest = 49; }),
       "49 pixels across as the smallest shape; expected 4 to 48"},
      {with([](auto& o) { o.visible = 0; }), "0 of a shape to stay visible"},
      {with([](auto& o) { o.visible = 1.5; }), "1.5 of a shape to stay visible"},
  };
  for (const auto& [options, words] : rows) {
    EXPECT_THAT(message_of(folder / "set", options), HasSubstr(words));
  }
  EXPECT_FALSE(fs::exists(folder / "set"));

  write_file(folder / "file", "mine");
  EXPECT_THAT(message_of(folder / "file", kSmall), HasSubstr("is a file; expected a folder"));
}

}  // namespace
}  // namespace yoloq::dataset
