// SPDX-License-Identifier: Apache-2.0
#include "dataset/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "dataset/images.h"
#include "support/data.h"
#include "support/message.h"
#include "vision/image.h"

namespace yoloq::dataset {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string labels_message(const std::string& labels) {
  return message_when([&] { parse_labels(labels, "a.txt", 3); });
}

TEST(Labels, AreReadLineByLine) {
  const auto labels = parse_labels("2 0.5 0.25 1 0\r\n\n0.0\t.5 5e-1 0.25 0.5", "a.txt", 3);

  EXPECT_THAT(labels, ElementsAre(Label{2, 0.5, 0.25, 1, 0}, Label{0, 0.5, 0.5, 0.25, 0.5}));
}

TEST(Labels, OfAPolygonAreTheBoxAroundIt) {
  const auto labels = parse_labels("1 0.25 0.5 0.75 0.25 0.5 0.75", "a.txt", 3);

  EXPECT_THAT(labels, ElementsAre(Label{1, (0.25 + 0.75) / 2, (0.25 + 0.75) / 2, 0.75 - 0.25,
                                        0.75 - 0.25}));
}

TEST(Labels, ThatComeAgainAreLeftOut) {
  EXPECT_EQ(parse_labels("1 0 0 1 1\n1 0 0 1 1\n2 0 0 1 1\n", "a.txt", 3).size(), 2u);
}

TEST(Labels, OfAnEmptyFileAreNone) { EXPECT_THAT(parse_labels("", "a.txt", 3), IsEmpty()); }

TEST(Labels, ThatAreWrongAreNamedWithTheirLine) {
  EXPECT_THAT(labels_message("0 0 0 1 1\n0 0.5 0.5 1"),
              HasSubstr("a.txt:2: 4 columns, expected 5"));
  EXPECT_THAT(labels_message("0 0 0 1 1 1"), HasSubstr("6 columns"));
  EXPECT_THAT(labels_message("3 0 0 1 1"), HasSubstr("a.txt:1: class 3, expected 0 to 2"));
  EXPECT_THAT(labels_message("-1 0 0 1 1"), HasSubstr("class -1"));
  EXPECT_THAT(labels_message("0.5 0 0 1 1"), HasSubstr("class 0.5"));
  EXPECT_THAT(labels_message("nan 0 0 1 1"), HasSubstr("class nan"));
  EXPECT_THAT(labels_message("0 1.5 0 1 1"), HasSubstr("coordinate 1.5 is not within 0 to 1"));
  EXPECT_THAT(labels_message("0 0 -0.1 1 1"), HasSubstr("coordinate -0.1"));
  EXPECT_THAT(labels_message("0 0 nan 1 1"), HasSubstr("coordinate nan"));
  EXPECT_THAT(labels_message("person 0 0 1 1"), HasSubstr("'person' is no number"));
  EXPECT_THAT(labels_message("0 0 0 1 1x"), HasSubstr("'1x' is no number"));
}

TEST(LabelPath, ReplacesTheLastImagesFolder) {
  EXPECT_EQ(label_path("/images/a/images/val/1.jpg"), "/images/a/labels/val/1.txt");
  EXPECT_EQ(label_path("photos/1.jpg"), "photos/1.txt");
}

TEST(LabelPath, OfAPathThatBeginsWithImagesIsFromTheCurrentFolder) {
  EXPECT_EQ(label_path("images/val/1.jpg"), fs::current_path() / "labels/val/1.txt");
  EXPECT_EQ(label_path("./images/1.jpg"), "./labels/1.txt");
}

TEST(GroundTruth, IsInPixelsOfEachImage) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "images");
  fs::create_directories(folder / "labels");
  const vision::Image image{.size = {20, 10}, .pixels = std::vector<std::uint8_t>(20 * 10 * 3)};
  vision::write_image(folder / "images/1.png", image);
  vision::write_image(folder / "images/2.png", image);
  write_file(folder / "labels/2.txt", "1 0.5 0.5 0.5 0.2\n");

  const GroundTruth truth = read_ground_truth(list_images(folder / "images"), 2);

  EXPECT_THAT(truth.boxes, ElementsAre(TruthBox{.image = 1,
                                                .class_index = 1,
                                                .x = (0.5 - 0.25) * 20,
                                                .y = (0.5 - 0.1) * 10,
                                                .width = 0.5 * 20,
                                                .height = 0.2 * 10}));
  EXPECT_THAT(truth.sizes, ElementsAre(image.size, image.size));
  EXPECT_EQ(truth.unlabelled, 1u);
}

TEST(GroundTruth, WithoutAnyLabelFileIsAnError) {
  const test::TemporaryFolder folder;
  vision::write_image(folder / "1.png", {.size = {1, 1}, .pixels = {1, 2, 3}});

  EXPECT_THAT(message_when([&] { read_ground_truth(list_images(folder.path()), 2); }),
              HasSubstr("1.txt"));
}

TEST(GroundTruth, OfCocoIsThatOfItsLabels) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const Dataset dataset = read_data_yaml(*data / "coco/coco.yaml");

  const GroundTruth truth = read_ground_truth(list_images(dataset, "val"), dataset.names.size());

  EXPECT_EQ(truth.sizes.size(), 340u);
  EXPECT_EQ(truth.sizes.front(), (vision::Size{640, 426}));
  EXPECT_GT(truth.boxes.size(), 2000u);
}

}  // namespace
}  // namespace yoloq::dataset
