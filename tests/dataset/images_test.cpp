// SPDX-License-Identifier: Apache-2.0
#include "dataset/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "dataset/resolve.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::dataset {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A folder with a data set in it; the images are empty files.
class Images : public testing::Test {
 protected:
  fs::path add(const std::string& name, const std::string& content = "") {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, content);
    return folder_ / name;
  }

  Dataset with(const std::string& yaml) { return read_data_yaml(add("data.yaml", yaml)); }

  test::TemporaryFolder folder_;
};

TEST_F(Images, OfAFolderAreSortedAndComeFromAllItsFolders) {
  const fs::path b = add("images/b.jpg");
  const fs::path a = add("images/z/a.PNG");
  add("images/notes.md");

  EXPECT_THAT(list_images(folder_ / "images"), ElementsAre(b, a));
}

TEST_F(Images, OfAFolderAreNotWhatIsHidden) {
  const fs::path a = add("images/a.jpg");
  add("images/._a.jpg");
  add("images/.ipynb_checkpoints/a.jpg");

  EXPECT_THAT(list_images(folder_ / "images"), ElementsAre(a));
  EXPECT_THAT(list_images(folder_ / "images/.ipynb_checkpoints"), testing::SizeIs(1));
}

TEST_F(Images, OfALinkThatLeadsBackComeOnce) {
  const fs::path a = add("images/z/a.jpg");
  fs::create_directory_symlink(".", folder_ / "images/self");
  fs::create_directory_symlink("..", folder_ / "images/z/up");
  fs::create_directory_symlink("z", folder_ / "images/b");
  fs::create_symlink("loop", folder_ / "images/loop");

  EXPECT_THAT(list_images(folder_ / "images"), ElementsAre(a));
}

TEST_F(Images, OfALinkToAnotherFolderAreThoseOfThatFolder) {
  add("elsewhere/a.jpg");
  fs::create_directories(folder_ / "images");
  fs::create_directory_symlink("../elsewhere", folder_ / "images/more");

  EXPECT_THAT(list_images(folder_ / "images"), ElementsAre(folder_ / "images/more/a.jpg"));
}

TEST_F(Images, OfAListFileLieBesideIt) {
  const fs::path list = add("val.txt", "./images/b.jpg\r\n\n/elsewhere/a.jpg\nimages/c.jpg\n");

  EXPECT_THAT(list_images(list),
              ElementsAre("/elsewhere/a.jpg", folder_ / "images/b.jpg", folder_ / "images/c.jpg"));
}

TEST_F(Images, MatchPatterns) {
  const fs::path a = add("x/1/a.jpg");
  const fs::path b = add("x/2/deep/b.jpg");
  const fs::path c = add("x/c.jpg");
  add("x/2/deep/b.txt");
  add("x/.hidden/d.jpg");

  EXPECT_THAT(list_images(folder_ / "x/*/*.jpg"), ElementsAre(a));
  EXPECT_THAT(list_images(folder_ / "x/**/*.jpg"), ElementsAre(a, b, c));
  EXPECT_THAT(list_images(folder_ / "x/**"), ElementsAre(a, b, c));
  EXPECT_THAT(list_images(folder_ / "x/[0-9]/?.jpg"), ElementsAre(a));
}

TEST_F(Images, OfASplitMayHaveSeveralSources) {
  const fs::path a = add("one/a.jpg");
  const fs::path b = add("two/b.jpg");

  EXPECT_THAT(list_images(with("val: [two, one/*.jpg]"), "val"), ElementsAre(a, b));
}

TEST_F(Images, AreFoundBesideTheYaml) {
  const fs::path a = add("images/a.jpg");

  EXPECT_THAT(list_images(with("path: .\nval: images"), "val"), ElementsAre(a));
  EXPECT_THAT(list_images(with("path: nowhere\nval: images"), "val"), ElementsAre(a));
  EXPECT_THAT(list_images(with("val: ../images"), "val"), ElementsAre(a));
}

TEST_F(Images, AreLookedForUnderPathFirst) {
  add("images/a.jpg");
  const fs::path b = add("root/images/b.jpg");
  const std::string root = (folder_ / "root").string();

  EXPECT_THAT(list_images(with("path: " + root + "\nval: images"), "val"), ElementsAre(b));
}

TEST_F(Images, PathIsTriedAsUltralyticsDoesThenBesideTheYaml) {
  const Dataset dataset{
      .file = "/data/coco.yaml", .root = "coco", .names = {}, .splits = {}, .annotations = {}};
  const fs::path here = fs::current_path();

  EXPECT_THAT(candidates(dataset, "images"),
              ElementsAre(here / "coco/images", here.parent_path() / "datasets/coco/images",
                          "/data/coco/images", "/data/images"));
}

TEST_F(Images, WhatIsMissingIsNamedWithThePlacesTried) {
  fs::create_directories(folder_ / "empty");

  EXPECT_THAT(message_when([&] { list_images(with("train: a"), "val"); }),
              HasSubstr("has no 'val:'; add it"));
  EXPECT_THAT(message_when([&] { list_images(with("val: nowhere"), "val"); }),
              HasSubstr((folder_ / "nowhere").string()));
  EXPECT_THAT(message_when([&] { list_images(with("val: empty"), "val"); }),
              HasSubstr("no images in '" + (folder_ / "empty").string()));
  EXPECT_THAT(message_when([&] { list_images(folder_ / "no*where"); }), HasSubstr("nothing there"));
  EXPECT_THAT(message_when([&] { list_images(add("model.onnx")); }), HasSubstr("neither a folder"));
}

TEST_F(Images, ABadListSaysItsLine) {
  const fs::path list = add("val.txt", "./a.jpg\n./b.mp4\n");

  EXPECT_THAT(message_when([&] { list_images(list); }),
              HasSubstr("val.txt:2: './b.mp4' is no image"));
}

TEST_F(Images, AnImageThatComesTwiceIsAnError) {
  add("one/a.jpg");

  EXPECT_THAT(message_when([&] { list_images(with("val: [one, one/a.jpg]"), "val"); }),
              HasSubstr("one/a.jpg' comes twice"));
}

TEST_F(Images, AnnotationsAreThoseOfTheYamlElseNamedAfterTheSplit) {
  const fs::path given = add("truth.json");

  EXPECT_EQ(find_annotations(with("annotations: truth.json"), "val"), given);
  EXPECT_EQ(find_annotations(with("val: images/val2017"), "val"), std::nullopt);
  const fs::path plain = add("annotations/instances_val.json");
  EXPECT_EQ(find_annotations(with("val: images/val2017"), "val"), plain);
  const fs::path named = add("annotations/instances_val2017.json");
  EXPECT_EQ(find_annotations(with("val: images/val2017/"), "val"), named);
  EXPECT_EQ(find_annotations(with("val: val2017.txt"), "val"), named);
  EXPECT_THAT(message_when([&] { find_annotations(with("annotations: none.json"), "val"); }),
              HasSubstr("none.json"));
}

TEST_F(Images, AnnotationsOfTheYamlAreOfValAlone) {
  add("truth.json");

  EXPECT_EQ(find_annotations(with("annotations: truth.json"), "train"), std::nullopt);
  EXPECT_EQ(find_annotations(with("annotations: none.json"), "train"), std::nullopt);
  const fs::path own = add("annotations/instances_train.json");
  EXPECT_EQ(find_annotations(with("annotations: truth.json"), "train"), own);
}

/// Moves to a folder while it lives.
class CurrentFolder {
 public:
  explicit CurrentFolder(const fs::path& folder) { fs::current_path(folder); }
  ~CurrentFolder() { fs::current_path(before_); }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;

 private:
  fs::path before_ = fs::current_path();
};

TEST_F(Images, AnnotationsOfAnotherDataSetInTheCurrentFolderAreNotTheirs) {
  add("set/images/val/a.jpg");
  add("here/annotations/instances_val.json");
  add("here/truth.json");
  const fs::path yaml = add("set/data.yaml", "val: images/val\n");
  const CurrentFolder here(folder_ / "here");

  EXPECT_EQ(find_annotations(read_data_yaml(yaml), "val"), std::nullopt);
  const fs::path own = add("set/annotations/instances_val.json");
  EXPECT_EQ(find_annotations(read_data_yaml(yaml), "val"), own);
  write_file(yaml, "val: images/val\nannotations: truth.json\n");
  EXPECT_THAT(message_when([&] { find_annotations(read_data_yaml(yaml), "val"); }),
              AllOf(HasSubstr("set/truth.json"), Not(HasSubstr("here/truth.json"))));
}

TEST_F(Images, AnnotationsAreWhereTheImagesAreNotWhereAnEmptyFolderIs) {
  add("set/images/a.jpg");
  const fs::path own = add("set/annotations/instances_val.json");
  const fs::path yaml = add("set/data.yaml", "val: images\n");
  fs::create_directories(folder_ / "here/images");
  add("here/annotations/instances_val.json");
  const CurrentFolder here(folder_ / "here");

  EXPECT_EQ(find_annotations(read_data_yaml(yaml), "val"), own);
}

TEST_F(Images, AnnotationsThatTheYamlNamesMayLieBesideIt) {
  add("root/images/a.jpg");
  const fs::path truth = add("truth.json");

  EXPECT_EQ(find_annotations(with("path: " + (folder_ / "root").string() +
                                  "\nval: images\nannotations: truth.json"),
                             "val"),
            truth);
}

TEST_F(Images, AnnotationsOfAbsolutePathsAreUnderTheRootAroundThem) {
  const fs::path images = add("set/images/val/a.jpg").parent_path();
  const fs::path own = add("set/annotations/instances_val.json");
  add("annotations/instances_val.json");
  const fs::path yaml = add("set/data.yaml", "val: " + images.string());
  const CurrentFolder here(folder_.path());

  EXPECT_EQ(find_annotations(read_data_yaml(yaml), "val"), own);
  EXPECT_EQ(find_annotations(with("path: set\nval: " + images.string()), "val"), own);
}

TEST(NumericId, IsTheNumberOfTheFileName) {
  EXPECT_EQ(numeric_id("a/000000000139.jpg"), 139);
  EXPECT_EQ(numeric_id("img1.jpg"), std::nullopt);
  EXPECT_EQ(numeric_id("-1.jpg"), std::nullopt);
  EXPECT_EQ(numeric_id("99999999999999999999.jpg"), std::nullopt);
}

TEST(ImagesOfCoco, AreAllThere) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const Dataset dataset = read_data_yaml(*data / "coco/coco.yaml");

  const ImageList images = list_images(dataset, "val");

  ASSERT_EQ(images.size(), 340u);
  EXPECT_EQ(images.front(), *data / "coco/images/val2017/000000000139.jpg");
  EXPECT_EQ(list_images(dataset, "train").size(), 300u);
  EXPECT_EQ(find_annotations(dataset, "val"), *data / "coco/annotations/instances_val2017.json");
}

}  // namespace
}  // namespace yoloq::dataset
