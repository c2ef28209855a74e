// SPDX-License-Identifier: Apache-2.0
#include "coco/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "coco/random_case.h"
#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::coco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSmall = R"({
  "info": {"description": "an [odd] {string}, \" escaped"},
  "images": [{"id": 3, "file_name": "a\u0062.jpg", "width": 640, "height": 480, "coco_url": null}],
  "annotations": [{"segmentation": [[1, 2, 3], {"counts": "a]}"}], "id": 7, "image_id": 3,
                   "bbox": [1, 2.5, 3e1, 4], "area": 60, "iscrowd": 1, "category_id": 90}],
  "categories": [{"supercategory": "indoor", "id": 90, "name": "toothbrush"}]
})";

/// kSmall with one text replaced by another.
std::string small_with(std::string_view old_text, std::string_view new_text) {
  std::string json(kSmall);
  const std::size_t place = json.find(old_text);
  EXPECT_NE(place, json.npos) << old_text;
  return json.replace(place, old_text.size(), new_text);
}

std::string annotations_message(std::string_view json) {
  try {
    parse_annotations(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Annotations, AreReadWithWhatTheFileHoldsBesideThemSkipped) {
  const Annotations annotations = parse_annotations(kSmall);

  EXPECT_THAT(annotations.images, ElementsAre(Image{3, 640, 480, "ab.jpg"}));
  EXPECT_THAT(annotations.categories, ElementsAre(Category{90, "toothbrush"}));
  EXPECT_THAT(annotations.boxes, ElementsAre(Box{.id = 7,
                                                 .image_id = 3,
                                                 .category_id = 90,
                                                 .bbox = {1, 2.5, 30, 4},
                                                 .area = 60,
                                                 .is_crowd = true,
                                                 .ignore = false}));
}

TEST(Annotations, MayLeaveOutWhatEvaluationDoesNotNeed) {
  const Annotations annotations = parse_annotations(R"({"images": [{"id": 1}], "categories": [],
      "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1}]})");

  EXPECT_THAT(annotations.images, ElementsAre(Image{1, 0, 0, ""}));
  EXPECT_FALSE(annotations.boxes.at(0).is_crowd);
}

TEST(Annotations, MayHoldNothing) {
  EXPECT_EQ(parse_annotations(R"({"images": [], "annotations": [], "categories": []})"),
            Annotations{});
}

TEST(Annotations, ReadBackEveryNumberThatWasWritten) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const Annotations annotations = random_case(seed).annotations;

    EXPECT_EQ(parse_annotations(to_json(annotations)), annotations) << "random_case " << seed;
  }
}

TEST(Annotations, TakeFlagsAsNumbersOrTruthValuesAndWholeNumbersAsIntegers) {
  EXPECT_TRUE(
      parse_annotations(small_with("\"iscrowd\": 1", "\"iscrowd\": true")).boxes.at(0).is_crowd);
  EXPECT_FALSE(
      parse_annotations(small_with("\"iscrowd\": 1", "\"iscrowd\": 0.0")).boxes.at(0).is_crowd);
  EXPECT_TRUE(parse_annotations(small_with("\"iscrowd\": 1", "\"ignore\": 1")).boxes.at(0).ignore);
  EXPECT_EQ(parse_annotations(small_with("\"width\": 640", "\"width\": 640.0")).images.at(0).width,
            640);
}

TEST(Annotations, NameTheFieldThatIsMissingAndTheIndex) {
  EXPECT_EQ(annotations_message(small_with("\"bbox\"", "\"box\"")),
            "annotations[0]: the field 'bbox' is missing");
  EXPECT_EQ(annotations_message(small_with("\"area\"", "\"aria\"")),
            "annotations[0]: the field 'area' is missing");
  EXPECT_EQ(annotations_message(small_with("\"id\": 7,", "")),
            "annotations[0]: the field 'id' is missing");
  EXPECT_EQ(annotations_message(small_with("\"id\": 3,", "")),
            "images[0]: the field 'id' is missing");
  EXPECT_EQ(annotations_message(small_with("\"name\"", "\"title\"")),
            "categories[0]: the field 'name' is missing");
  EXPECT_EQ(annotations_message(small_with("\"categories\"", "\"classes\"")),
            "the field 'categories' is missing");
}

TEST(Annotations, NameAValueOfTheWrongType) {
  EXPECT_EQ(annotations_message(small_with("\"image_id\": 3", "\"image_id\": \"3\"")),
            "annotations[0].image_id: expected an integer, found \"3\"");
  EXPECT_EQ(annotations_message(small_with("\"image_id\": 3", "\"image_id\": 3.5")),
            "annotations[0].image_id: expected an integer, found 3.5");
  EXPECT_EQ(annotations_message(small_with("\"area\": 60", "\"area\": null")),
            "annotations[0].area: expected a finite number, found null");
  EXPECT_EQ(annotations_message(small_with("\"area\": 60", "\"area\": 1e999")),
            "annotations[0].area: expected a finite number, found 1e999");
  EXPECT_EQ(annotations_message(small_with("[1, 2.5, 3e1, 4]", "[1, 2.5, 3e1]")),
            "annotations[0].bbox: expected 4 numbers, found 3");
  EXPECT_EQ(annotations_message(small_with("[1, 2.5, 3e1, 4]", "[1, 2.5, 3e1, 4, 5]")),
            "annotations[0].bbox: expected 4 numbers, found 5");
  EXPECT_EQ(annotations_message(small_with("[1, 2.5, 3e1, 4]", "17")),
            "annotations[0].bbox: expected a list of 4 numbers, found 17");
  EXPECT_EQ(annotations_message(small_with("\"name\": \"toothbrush\"", "\"name\": 5")),
            "categories[0].name: expected a string, found 5");
  EXPECT_EQ(annotations_message(small_with("\"iscrowd\": 1", "\"iscrowd\": \"no\"")),
            "annotations[0].iscrowd: expected 0, 1, true or false, found \"no\"");
  EXPECT_EQ(annotations_message(small_with("\"id\": 3", "\"id\": 99999999999999999999")),
            "images[0].id: expected an integer, found 99999999999999999999");
  EXPECT_EQ(annotations_message(R"({"images": 5})"), "images: expected a list");
  EXPECT_EQ(annotations_message(R"({"images": [5]})"), "images[0]: expected an object");
}

TEST(Annotations, AreRefusedWhereTheTextIsNotJson) {
  for (const std::size_t size : {0u, 1u, 60u, 100u, 300u}) {
    EXPECT_THAT(annotations_message(kSmall.substr(0, size)), HasSubstr("not valid JSON")) << size;
  }
  EXPECT_THAT(annotations_message(std::string(kSmall) + "{}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(annotations_message("{\"images\": \"\xff\"}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(annotations_message("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(annotations_message("5"), HasSubstr("expected an object"));
}

TEST(Annotations, AreRefusedWhereTwoBoxesShareAnId) {
  const std::string box =
      R"({"id": 5, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1})";
  const std::string other =
      R"({"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1})";
  const std::string json =
      R"({"images": [], "categories": [], "annotations": [)" + box + "," + other + "," + box + "]}";

  EXPECT_THAT(annotations_message(json),
              HasSubstr("annotations[0] and annotations[2] have the same id 5"));
}

TEST(Annotations, NameTheFileInAnError) {
  const test::TemporaryFolder folder;
  write_file(folder / "cut.json", kSmall.substr(0, 200));

  try {
    read_annotations(folder / "cut.json");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cut.json: not valid JSON"));
  }
  EXPECT_THROW(read_annotations(folder / "none.json"), Error);
}

}  // namespace
}  // namespace yoloq::coco
