// SPDX-License-Identifier: Apache-2.0
#include "dataset/check_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "dataset/small_set.h"

namespace yoloq::dataset {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kNames{"cat", "dog", "bird"};

/// "kind where: what" with the folder taken out.
std::vector<std::string> lines_of(const SmallSet& small, const DataReport& report) {
  std::vector<std::string> lines;
  for (const DataFinding& found : report.findings) {
    std::string line = std::string(name_of(found.kind)) + " " + found.where + ": " + found.what;
    const std::string folder = small.folder().path().string() + "/";
    for (std::size_t at; (at = line.find(folder)) != std::string::npos;) {
      line.erase(at, folder.size());
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(CheckData, CountsImagesAndBoxesOfEachClass) {
  SmallSet small;
  fill(small);
  small.add({20, 20}, "");

  const DataReport report = check_data(small.images(), kNames);

  EXPECT_EQ(report.images, 6u);
  EXPECT_EQ(report.boxes, 8u);
  EXPECT_EQ(report.empty, 1u);
  EXPECT_EQ(report.unlabelled, 0u);
  EXPECT_THAT(report.classes, ElementsAre(ClassCount{"cat", 3, 3}, ClassCount{"dog", 2, 2},
                                          ClassCount{"bird", 3, 3}));
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_FALSE(report.fatal());
}

TEST(CheckData, ListsEveryFaultWithItsPlace) {
  SmallSet small;
  small.add({20, 20}, "0 0.5 0.5 0.2 0.2\n3 0.5 0.5 0.2 0.2\n0 0.5 0.5 1.2 0.2\n0 0.5 0.5 0.2\n");
  small.add({20, 20}, "0 0.9 0.5 0.4 0.2\n\n0 0.9 0.5 0.4 0.2\n1 0.5 0.5 0 0.3\n");
  small.add({20, 20}, "");
  small.add({20, 20}, "");
  std::filesystem::remove(small.label_file(2));
  write_file(small.images()[3], "no image");

  const DataReport report = check_data(small.images(), kNames, {.threads = 3});

  EXPECT_THAT(
      lines_of(small, report),
      ElementsAre("bad image images/train/3.png: image 'images/train/3.png' cannot be decoded: "
                  "not a JPEG, PNG or other image, or damaged",
                  "bad label labels/train/0.txt:2: class 3, expected 0 to 2",
                  "bad label labels/train/0.txt:3: coordinate 1.2 is not within 0 to 1: labels are "
                  "parts of the image's sides",
                  "bad label labels/train/0.txt:4: 4 columns, expected 5 (class x y width height) "
                  "or a class and three or more corners",
                  "no label file images/train/2.png: no 'labels/train/2.txt'",
                  "outside labels/train/1.txt:1: 0.100000 of the image's side beyond its border",
                  "no area labels/train/1.txt:4: 0 x 0.3",
                  "duplicate labels/train/1.txt:3: the same as line 1",
                  "unused class bird: no box is of this class"));
  EXPECT_TRUE(report.fatal());
}

TEST(CheckData, FindsDamageWithinAnImageOnlyByDecoding) {
  SmallSet small;
  fill(small);
  std::string damaged = read_file(small.images()[1]);
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i) damaged[i] = 'x';
  write_file(small.images()[1], damaged);
  const std::string whole = read_file(small.images()[2]);
  write_file(small.images()[2], whole.substr(0, whole.size() - 40));

  EXPECT_EQ(check_data(small.images(), kNames).findings.size(), 2u);
  const auto quick = check_data(small.images(), kNames, {.decode = false}).findings;
  ASSERT_EQ(quick.size(), 1u);
  EXPECT_EQ(quick[0].where, small.images()[2].string());
}

TEST(CheckData, IsFatalWithoutAnyLabelFile) {
  SmallSet small;
  small.add({20, 20}, "");
  std::filesystem::remove(small.label_file(0));

  const DataReport report = check_data(small.images(), kNames);

  EXPECT_TRUE(report.fatal());
  EXPECT_EQ(report.findings.front().kind, DataFinding::Kind::no_label_files);
}

TEST(CheckData, NeedsImagesAndClasses) {
  SmallSet small;
  fill(small);

  EXPECT_THROW(check_data({}, kNames), Error);
  EXPECT_THROW(check_data(small.images(), {}), Error);
}

TEST(CheckData, EndsWhenTheUserSaysSo) {
  SmallSet small;
  fill(small);

  EXPECT_THROW(check_data(small.images(), kNames, {.threads = 2},
                          [](std::size_t, std::size_t) {
                            throw Error(ErrorCode::cancelled, "interrupted");
                          }),
               Error);
}

TEST(CheckData, FindsCocoSound) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const Dataset dataset = read_data_yaml(*data / "coco/coco.yaml");

  const DataReport report =
      check_data(list_images(dataset, "train"), dataset.names, {.decode = false});

  EXPECT_EQ(report.images, 300u);
  EXPECT_EQ(report.boxes, 2378u);  // Lines of the label files.
  EXPECT_FALSE(report.fatal());
}

}  // namespace
}  // namespace yoloq::dataset
