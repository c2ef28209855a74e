// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ground_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "dataset/images.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Two images of a data set of three classes, and an annotation file if a test writes one.
class GroundTruthOf : public testing::Test {
 protected:
  fs::path annotate(const std::string& images, const std::string& categories) {
    const fs::path file = folder_ / "truth.json";
    write_file(file, R"({"images": [)" + images + R"(], "categories": [)" + categories +
                         R"(], "annotations": []})");
    return file;
  }

  GroundTruth find(const fs::path& annotations = {}) {
    return find_ground_truth(dataset::read_data_yaml(set_.yaml), set_.val,
                             {.split = "val", .annotations = annotations});
  }

  static constexpr const char* kCategories =
      R"({"id": 3, "name": "class 2"}, {"id": 1, "name": "class 0"}, {"id": 7, "name": "class 1"})";

  test::TemporaryFolder folder_;
  test::TinyDataSet set_ = test::write_tiny_data_set(folder_.path(), 1, 2);  // val: 2.png, 3.png
};

TEST_F(GroundTruthOf, AnAnnotationFileFindsImagesByName) {
  const fs::path file = annotate(R"({"id": 50, "file_name": "val/000000000003.png"},
                                    {"id": 40, "file_name": "000000000002.png"})",
                                 kCategories);

  const GroundTruth truth = find(file);

  EXPECT_THAT(truth.image_ids, ElementsAre(40, 50));
  EXPECT_EQ(truth.source, file.string());
}

TEST_F(GroundTruthOf, AnAnnotationFileWithoutNamesFindsImagesByNumber) {
  EXPECT_THAT(find(annotate(R"({"id": 3}, {"id": 2})", kCategories)).image_ids, ElementsAre(2, 3));
}

TEST_F(GroundTruthOf, ANumberIsNoNameWhereTheAnnotationsHaveNames) {
  const fs::path file =
      annotate(R"({"id": 3, "file_name": "000000000002.png"}, {"id": 2, "file_name": "b.png"})",
               kCategories);

  EXPECT_THAT(message_when([&] { find(file); }),
              AllOf(HasSubstr("000000000003.png"), HasSubstr("not among the 2 images")));
}

/// Images of one name in two folders.
class GroundTruthOfTwoFolders : public GroundTruthOf {
 protected:
  GroundTruthOfTwoFolders() {
    for (const char* folder : {"cam0", "cam1"}) {
      const fs::path image = folder_ / "images/val" / folder / "000000.png";
      fs::create_directories(image.parent_path());
      fs::copy_file(set_.val.front(), image);
      images_.push_back(image);
    }
  }

  GroundTruth find(const std::string& images) {
    return find_ground_truth(dataset::read_data_yaml(set_.yaml), images_,
                             {.split = "val", .annotations = annotate(images, kCategories)});
  }

  std::vector<fs::path> images_;
};

TEST_F(GroundTruthOfTwoFolders, FoldersInFileNamesTellThemApart) {
  const GroundTruth truth = find(R"({"id": 5, "file_name": "cam1/000000.png"},
                                    {"id": 4, "file_name": "val/cam0/000000.png"},
                                    {"id": 9, "file_name": "train/cam0/000000.png"})");

  EXPECT_THAT(truth.image_ids, ElementsAre(4, 5));
  EXPECT_THAT(truth.notices, IsEmpty());
}

TEST_F(GroundTruthOfTwoFolders, AWholeFileNameComesBeforeAPartOfOne) {
  EXPECT_THAT(find(R"({"id": 5, "file_name": "000000.png"},
                      {"id": 4, "file_name": "cam0/000000.png"})")
                  .image_ids,
              ElementsAre(4, 5));
}

TEST_F(GroundTruthOfTwoFolders, SeveralThatFitAlikeAreAnError) {
  EXPECT_THAT(message_when([&] {
                find(R"({"id": 5, "file_name": "left/000000.png"},
                        {"id": 4, "file_name": "right/000000.png"})");
              }),
              AllOf(HasSubstr("cam0/000000.png"), HasSubstr("'left/000000.png' (id 5)"),
                    HasSubstr("'right/000000.png' (id 4)")));
}

TEST_F(GroundTruthOfTwoFolders, OneAnnotatedImageForBothIsAnError) {
  EXPECT_THAT(
      message_when([&] { find(R"({"id": 5, "file_name": "000000.png"})"); }),
      AllOf(HasSubstr("cam0/000000.png"), HasSubstr("cam1/000000.png"), HasSubstr("both image 5")));
  EXPECT_THAT(message_when([&] { find(R"({"id": 0})"); }), HasSubstr("both image 0"));
}

TEST_F(GroundTruthOfTwoFolders, AnImageOfAnotherFolderIsTakenWithANotice) {
  images_.pop_back();

  const GroundTruth truth = find(R"({"id": 5, "file_name": "cam7/000000.png"})");

  EXPECT_THAT(truth.image_ids, ElementsAre(5));
  EXPECT_THAT(truth.notices,
              ElementsAre(AllOf(HasSubstr("cam0/000000.png'"), HasSubstr("'cam7/000000.png'"))));
}

TEST_F(GroundTruthOf, AnImageThatIsNotAnnotatedIsNamed) {
  EXPECT_THAT(message_when([&] { find(annotate(R"({"id": 2}, {"id": 9})", kCategories)); }),
              AllOf(HasSubstr("000000000003.png"), HasSubstr("2 images of the annotations"),
                    HasSubstr("another split")));
}

TEST_F(GroundTruthOf, ClassesMeetCategoriesByName) {
  EXPECT_THAT(find(annotate(R"({"id": 3}, {"id": 2})", kCategories)).category_ids,
              ElementsAre(1, 7, 3));
}

TEST_F(GroundTruthOf, ClassesOfOtherNamesMeetCategoriesInTheOrderOfIds) {
  const fs::path file =
      annotate(R"({"id": 3}, {"id": 2})",
               R"({"id": 90, "name": "z"}, {"id": 1, "name": "class 1"}, {"id": 44, "name": "b"})");

  const GroundTruth truth = find(file);

  EXPECT_THAT(truth.category_ids, ElementsAre(1, 44, 90));
  EXPECT_THAT(truth.notices, ElementsAre(HasSubstr("is called 'class 0': classes meet")));
}

TEST_F(GroundTruthOf, ClassesMeetCategoriesOfTheSameNameInAnotherCase) {
  const GroundTruth truth = find(annotate(
      R"({"id": 3}, {"id": 2})",
      R"({"id": 1, "name": "CLASS 2"}, {"id": 2, "name": "Class 1"}, {"id": 3, "name": "class 0"})"));

  EXPECT_THAT(truth.category_ids, ElementsAre(3, 2, 1));
  EXPECT_THAT(truth.notices, IsEmpty());
}

TEST(MatchCategories, PrefersTheSameCase) {
  const std::vector<std::string> names{"person", "Person"};
  const std::vector<coco::Category> categories{{1, "Person"}, {2, "person"}};

  EXPECT_THAT(match_categories(names, categories).ids, ElementsAre(2, 1));
}

TEST(MatchCategories, TakesNoCategoryTwice) {
  const std::vector<std::string> names{"person", "PERSON"};
  const std::vector<coco::Category> categories{{1, "cat"}, {2, "person"}};

  const CategoryMatch match = match_categories(names, categories);

  EXPECT_THAT(match.ids, ElementsAre(1, 2));
  EXPECT_THAT(match.notice, HasSubstr("'PERSON'"));
}

TEST_F(GroundTruthOf, MoreCategoriesThanClassesFitByName) {
  const std::string more = std::string(kCategories) + R"(, {"id": 8, "name": "spare"})";

  EXPECT_THAT(find(annotate(R"({"id": 3}, {"id": 2})", more)).category_ids, ElementsAre(1, 7, 3));
}

TEST_F(GroundTruthOf, ClassesThatFitNoCategoriesAreAnError) {
  const fs::path file =
      annotate(R"({"id": 3}, {"id": 2})", R"({"id": 1, "name": "a"}, {"id": 2, "name": "b"})");

  EXPECT_THAT(message_when([&] { find(file); }),
              HasSubstr("3 classes do not fit the 2 categories of the annotations"));
}

TEST_F(GroundTruthOf, AnAnnotationFileBesideTheImagesIsFound) {
  fs::create_directories(folder_ / "annotations");
  fs::copy_file(annotate(R"({"id": 2}, {"id": 3})", kCategories),
                folder_ / "annotations/instances_val.json");

  EXPECT_EQ(find().source, (folder_ / "annotations/instances_val.json").string());
}

/// A yaml with `annotations: truth.json`, asked for the train split: 1.png.
class GroundTruthOfTrain : public GroundTruthOf {
 protected:
  GroundTruthOfTrain() {
    write_file(set_.yaml, read_file(set_.yaml) + "annotations: truth.json\n");
  }

  GroundTruth find(const fs::path& annotations = {}) {
    return find_ground_truth(dataset::read_data_yaml(set_.yaml), set_.train,
                             {.split = "train", .annotations = annotations});
  }

  fs::path annotate_beside(const std::string& images) {
    fs::create_directories(folder_ / "annotations");
    const fs::path file = folder_ / "annotations/instances_train.json";
    fs::rename(annotate(images, kCategories), file);
    return file;
  }
};

TEST_F(GroundTruthOfTrain, AnnotationsOfValDoNotServe) {
  annotate(R"({"id": 2}, {"id": 3})", kCategories);

  EXPECT_THAT(find().source, AllOf(StartsWith("label files"), HasSubstr("2 boxes")));
}

TEST_F(GroundTruthOfTrain, OneFileForAllSplitsServes) {
  const fs::path file = annotate(R"({"id": 1}, {"id": 2}, {"id": 3})", kCategories);

  const GroundTruth truth = find();

  EXPECT_EQ(truth.source, file.string());
  EXPECT_THAT(truth.image_ids, ElementsAre(1));
}

TEST_F(GroundTruthOfTrain, AFileNamedAfterTheSplitComesBeforeOneForAll) {
  const fs::path own = annotate_beside(R"({"id": 1})");
  annotate(R"({"id": 1}, {"id": 2}, {"id": 3})", kCategories);

  EXPECT_EQ(find().source, own.string());
}

TEST_F(GroundTruthOfTrain, AFileThatIsGivenComesFirst) {
  annotate_beside(R"({"id": 1})");
  const fs::path given = folder_ / "given.json";
  fs::copy_file(annotate(R"({"id": 1}, {"id": 7})", kCategories), given);

  EXPECT_EQ(find(given).source, given.string());
}

TEST_F(GroundTruthOfTrain, AnnotationsThatAreNotThereAreNotMissed) {
  EXPECT_THAT(find().source, StartsWith("label files"));
}

TEST_F(GroundTruthOfTrain, AnImageOfValWithTheSameNameIsNotTakenForIt) {
  fs::copy_file(set_.train.front(), folder_ / "images/val/000000000001.png");
  annotate(R"({"id": 1}, {"id": 2}, {"id": 3})", kCategories);

  EXPECT_THAT(find().source, StartsWith("label files"));
}

TEST_F(GroundTruthOfTrain, AnImageThatIsInValTooIsTheSame) {
  write_file(set_.yaml, "path: " + folder_.path().string() +
                            "\ntrain: images/train\nval: images\nannotations: truth.json\n"
                            "names: [class 0, class 1, class 2]\n");
  const fs::path file = annotate(R"({"id": 1}, {"id": 2}, {"id": 3})", kCategories);

  EXPECT_EQ(find().source, file.string());
}

TEST_F(GroundTruthOfTrain, WithoutImagesOfValNothingSaysWhoseTheAnnotationsAre) {
  annotate(R"({"id": 1})", kCategories);
  fs::remove_all(folder_ / "images/val");

  EXPECT_THAT(find().source, StartsWith("label files"));
}

TEST_F(GroundTruthOfTrain, WithoutLabelsEitherTheReasonIsGiven) {
  const fs::path file = annotate(R"({"id": 2}, {"id": 3})", kCategories);
  fs::remove_all(folder_ / "labels");

  EXPECT_THAT(message_when([&] { find(); }),
              AllOf(HasSubstr(file.string()), HasSubstr("not used for 'train'"),
                    HasSubstr("does not list"), HasSubstr("has a label file")));
}

TEST_F(GroundTruthOf, LabelFilesStandInAndTheSourceSaysSo) {
  const GroundTruth truth = find();

  EXPECT_THAT(truth.source, AllOf(StartsWith("label files"), HasSubstr("4 boxes")));
  EXPECT_THAT(truth.image_ids, ElementsAre(1, 2));
  EXPECT_THAT(truth.category_ids, ElementsAre(1, 2, 3));
  ASSERT_EQ(truth.annotations.boxes.size(), 4u);
  // The first image, 80 x 72: "2 0.34 0.4 0.3 0.5".
  const coco::Box& box = truth.annotations.boxes.front();
  EXPECT_EQ(box.category_id, 3);
  EXPECT_THAT(box.bbox, ElementsAre(DoubleEq((0.34 - 0.15) * 80), DoubleEq((0.4 - 0.25) * 72),
                                    DoubleEq(0.3 * 80), DoubleEq(0.5 * 72)));
  EXPECT_DOUBLE_EQ(box.area, 0.3 * 80 * 0.5 * 72);
}

TEST_F(GroundTruthOf, ALabelOutOfRangeIsNamedWithFileAndLine) {
  write_file(folder_ / "labels/val/000000000002.txt", "0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1\n");

  EXPECT_THAT(message_when([&] { find(); }),
              AllOf(HasSubstr("000000000002.txt:2"), HasSubstr("3")));
}

using Names = std::vector<std::string>;

TEST(NameDifference, IsOfTheFirstClassThatDiffers) {
  EXPECT_THAT(name_difference(Names{"a", "dog", "cat"}, Names{"a", "cat", "dog"}),
              testing::Optional(HasSubstr("class 1 is 'dog' in the model and 'cat'")));
}

TEST(NameDifference, IsNoneOfCaseAndNumbers) {
  EXPECT_EQ(name_difference(Names{"Dog", "cat"}, Names{"dog", "CAT"}), std::nullopt);
  EXPECT_EQ(name_difference(Names{"0", "cat"}, Names{"dog", "class1"}), std::nullopt);
}

}  // namespace
}  // namespace yoloq::pipeline
