// SPDX-License-Identifier: Apache-2.0
#include "dataset/data_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "support/data.h"

namespace yoloq::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string yaml_message(std::string_view yaml) {
  try {
    parse_data_yaml(yaml, "data.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(DataYaml, ReadsTheFormOfYolov5) {
  const Dataset dataset = parse_data_yaml(R"(
      path: ../datasets/coco128  # dataset root
      train: images/train2017
      val: [images/val2017, images/more]
      test:
      nc: 2
      names: [ 'person', "fire hydrant" ]
      download: https://example.org/coco128.zip)",
                                          "a/data.yaml");

  EXPECT_EQ(dataset.file, "a/data.yaml");
  EXPECT_EQ(dataset.root, "../datasets/coco128");
  EXPECT_THAT(dataset.splits.at("train"), ElementsAre("images/train2017"));
  EXPECT_THAT(dataset.splits.at("val"), ElementsAre("images/val2017", "images/more"));
  EXPECT_EQ(dataset.splits.count("test"), 0u);
  EXPECT_THAT(dataset.names, ElementsAre("person", "fire hydrant"));
  EXPECT_THAT(dataset.annotations, IsEmpty());
}

TEST(DataYaml, ReadsNamesThatAreAMap) {
  const Dataset dataset = parse_data_yaml("names:\n  1: car\n  0: person\n", "data.yaml");

  EXPECT_THAT(dataset.names, ElementsAre("person", "car"));
}

TEST(DataYaml, MakesNamesFromTheirCount) {
  EXPECT_THAT(parse_data_yaml("nc: 3", "data.yaml").names,
              ElementsAre("class0", "class1", "class2"));
}

TEST(DataYaml, ReadsTheRealOne) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;

  const Dataset dataset = read_data_yaml(*data / "coco/coco.yaml");

  EXPECT_EQ(dataset.names.size(), 80u);
  EXPECT_EQ(dataset.annotations, "annotations/instances_val2017.json");
}

TEST(DataYaml, SaysWhereAKeyHasTheWrongForm) {
  EXPECT_THAT(yaml_message("val: a\nnames: person"), HasSubstr("data.yaml:2: 'names' should be"));
  EXPECT_THAT(yaml_message("names: {0: a, 2: b}"),
              HasSubstr("data.yaml:1: 'names' has no class 1"));
  EXPECT_THAT(yaml_message("names: {0: a, 0: b}"), HasSubstr("class 0 twice"));
  EXPECT_THAT(yaml_message("names: {a: 0}"), HasSubstr("not 'a'"));
  EXPECT_THAT(yaml_message("\nnc: 3\nnames: [a]"),
              HasSubstr("data.yaml:2: 'nc' is 3 but there are 1"));
  EXPECT_THAT(yaml_message("nc: -1"), HasSubstr("not '-1'"));
  EXPECT_THAT(yaml_message("nc: 999999999"), HasSubstr("up to 100000"));
  EXPECT_THAT(yaml_message("path: [a]"), HasSubstr("data.yaml:1: 'path' should be a text"));
  EXPECT_THAT(yaml_message("val: {a: b}"), HasSubstr("'val' should be a text"));
  EXPECT_THAT(yaml_message("val: [[a]]"), HasSubstr("'val' should be a text"));
  EXPECT_THAT(yaml_message("- a\n- b"), HasSubstr("expected keys such as"));
  EXPECT_THAT(yaml_message(""), HasSubstr("expected keys such as"));
  EXPECT_THAT(yaml_message("names: [a\nval: b"), HasSubstr("data.yaml:"));
}

TEST(DataYaml, SurvivesHostileYaml) {
  EXPECT_THAT(yaml_message(std::string(100'000, '[')), HasSubstr("data.yaml:"));
  EXPECT_THAT(yaml_message(std::string(17 << 20, ' ')), HasSubstr("too many"));
  EXPECT_THAT(yaml_message("val: *nothing"), HasSubstr("data.yaml:1"));
  EXPECT_THAT(yaml_message("a: &a [*a, *a]\nnames: *a"), HasSubstr("data.yaml:1: "));
  const std::string laughs = R"(
      a: &a [x, x, x, x, x, x, x, x, x, x]
      b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
      c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
      names: *c)";
  EXPECT_THAT(yaml_message(laughs), HasSubstr("'names' should be a text"));
}

TEST(DataYaml, UsesAliases) {
  const Dataset dataset = parse_data_yaml("train: &images images\nval: *images", "data.yaml");

  EXPECT_THAT(dataset.splits.at("val"), ElementsAre("images"));
}

}  // namespace
}  // namespace yoloq::dataset
