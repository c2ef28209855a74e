// SPDX-License-Identifier: Apache-2.0
#include "coco/tide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "coco/random_case.h"
#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::coco {

namespace {

using testing::ElementsAre;

constexpr std::array<double, 4> kCat{10, 10, 40, 40};
constexpr std::array<double, 4> kDog{100, 100, 40, 40};
constexpr std::array<double, 4> kHalfBesideCat{30, 10, 40, 40};  // Overlap 20 / 60 with kCat.
constexpr std::array<double, 4> kNowhere{300, 300, 40, 40};

/// A cat (class 1) and a dog (class 2) in one image.
Annotations cat_and_dog() {
  return {{{5, 400, 400, "five.jpg"}},
          {{1, "cat"}, {2, "dog"}},
          {{.id = 1, .image_id = 5, .category_id = 1, .bbox = kCat, .area = 1600},
           {.id = 2, .image_id = 5, .category_id = 2, .bbox = kDog, .area = 1600}}};
}

struct OneError {
  const char* name;
  Detection wrong;
  ErrorKind kind;
  double gain;
};

void PrintTo(const OneError& row, std::ostream* out) { *out << row.name; }

class EveryKind : public testing::TestWithParam<OneError> {};

/// Beside a right dog there is one detection with just this fault. AP50 of the cat goes from 0 to 1
/// where it can be fixed, so the mean of the two classes gains 1/2.
TEST_P(EveryKind, IsToldApartAndItsFixIsWorthWhatItGives) {
  const std::vector<Detection> detections{{5, 2, kDog, 0.9}, GetParam().wrong};

  const ErrorSplit split = split_errors(cat_and_dog(), detections);

  EXPECT_DOUBLE_EQ(split[GetParam().kind].gain, GetParam().gain);
  EXPECT_EQ(split[GetParam().kind].count, 1u);
  std::size_t detections_with_errors = 0;
  for (const ErrorKind kind : {ErrorKind::classification, ErrorKind::localisation, ErrorKind::both,
                               ErrorKind::duplicate, ErrorKind::background}) {
    detections_with_errors += split[kind].count;
  }
  EXPECT_EQ(detections_with_errors, 1u);
}

const OneError kErrors[] = {
    // The cat called a dog is also a wrong dog, but less sure than the right one: the dog stays 1.
    {"Classification", {5, 2, kCat, 0.5}, ErrorKind::classification, 0.5},
    {"Localisation", {5, 1, kHalfBesideCat, 0.5}, ErrorKind::localisation, 0.5},
    // A wrong dog that is surer than the right one halves the dog's precision: fixed, it gains 1/4.
    {"Both", {5, 2, kHalfBesideCat, 0.95}, ErrorKind::both, 0.25},
    {"Background", {5, 2, kNowhere, 0.95}, ErrorKind::background, 0.25},
    {"Duplicate", {5, 2, kDog, 0.8}, ErrorKind::duplicate, 0.0},
};

INSTANTIATE_TEST_SUITE_P(OfError, EveryKind, testing::ValuesIn(kErrors),
                         [](const auto& row) { return row.param.name; });

TEST(SplitErrors, FindsNothingToFixWhereAllIsRight) {
  const std::vector<Detection> detections{{5, 2, kDog, 0.9}, {5, 1, kCat, 0.8}};

  const ErrorSplit split = split_errors(cat_and_dog(), detections);

  EXPECT_DOUBLE_EQ(split.ap50, 1.0);
  for (const ErrorShare& share : split.shares) {
    EXPECT_EQ(share.gain, 0);
    EXPECT_EQ(share.count, 0u);
  }
}

TEST(SplitErrors, CallsABoxMissedOnlyIfNoOtherFixWouldFindIt) {
  const std::vector<Detection> missed{{5, 2, kDog, 0.9}};
  const std::vector<Detection> misnamed{{5, 2, kDog, 0.9}, {5, 2, kCat, 0.5}};

  EXPECT_EQ(split_errors(cat_and_dog(), missed)[ErrorKind::missed].count, 1u);
  // Not asked for, the cat's class has no box left and the mean is of the dog alone: 1 - 1/2.
  EXPECT_DOUBLE_EQ(split_errors(cat_and_dog(), missed)[ErrorKind::missed].gain, 0.5);
  EXPECT_EQ(split_errors(cat_and_dog(), misnamed)[ErrorKind::missed].count, 0u);
}

TEST(SplitErrors, LeavesOutWhatLiesInACrowd) {
  Annotations annotations = cat_and_dog();
  annotations.boxes.push_back(
      {.id = 3, .image_id = 5, .category_id = 2, .bbox = kNowhere, .area = 1600, .is_crowd = true});
  const std::vector<Detection> detections{{5, 2, kDog, 0.9}, {5, 2, kNowhere, 0.95}};

  const ErrorSplit split = split_errors(annotations, detections);

  EXPECT_DOUBLE_EQ(split.ap50, 0.5);  // The dog 1, the cat 0.
  EXPECT_EQ(split[ErrorKind::background].count, 0u);
}

TEST(SplitErrors, LooksOnlyAtTheImagesAskedFor) {
  Annotations annotations = cat_and_dog();
  annotations.images.push_back({6, 400, 400, "six.jpg"});
  const std::vector<Detection> detections{{6, 2, kNowhere, 0.9}};

  EXPECT_EQ(split_errors(annotations, detections)[ErrorKind::background].count, 1u);
  EXPECT_EQ(split_errors(annotations, detections, {.image_ids = {5}})[ErrorKind::background].count,
            0u);
}

TEST(SplitErrors, RefusesWhatTheEvaluationRefuses) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Detection& bad : {Detection{77, 1, kCat, 0.5}, Detection{5, 1, kCat, nan}}) {
    EXPECT_THROW(split_errors(cat_and_dog(), std::vector{bad}), Error);
  }
  EXPECT_THROW(split_errors(cat_and_dog(), {}, {.image_ids = {77}}), Error);
}

TEST(SplitErrors, OfNoImageIsZero) {
  const ErrorSplit split = split_errors({}, {});

  EXPECT_EQ(split.ap50, 0);
  EXPECT_EQ(split[ErrorKind::missed].count, 0u);
}

constexpr std::uint32_t kTideCases = 260;
constexpr int kNotThere = 77;  ///< Exit status of the oracle without tidecv.

/// Sums of the same terms in another order.
constexpr double kTolerance = 1e-12;

/// random_case() with what the two may do differently taken out: scores that tie (their order is
/// the implementation's), areas that overflow and the choice of images.
RandomCase plain_case(std::uint32_t seed) {
  RandomCase one = random_case(seed);
  one.image_ids.clear();
  const auto is_wild = [](const auto& value) {
    return value.bbox[2] < 0 || value.bbox[3] < 0 || value.bbox[2] > 1e6 || value.bbox[3] > 1e6;
  };
  std::erase_if(one.annotations.boxes, is_wild);
  std::erase_if(one.detections, is_wild);
  std::vector<std::size_t> order(one.detections.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return one.detections[i].score; });
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    one.detections[order[rank]].score = static_cast<double>(rank + 1) / 1024;
  }
  return one;
}

TEST(SplitErrors, EqualsTheAuthorsImplementationOnRandomCases) {
  const test::TemporaryFolder folder;
  std::string text = "[";
  for (std::uint32_t seed = 0; seed < kTideCases; ++seed) {
    const RandomCase one = plain_case(seed);
    text += std::string(seed == 0 ? "" : ",") + "{\"annotations\":" + to_json(one.annotations) +
            ",\"detections\":" + to_json(one.detections) + "}";
  }
  write_file(folder / "cases.json", text + "]");
  const auto finished =
      test::run_python("tests/coco/tide_oracle.py", {(folder / "cases.json").string()});
  if (finished.status == kNotThere) GTEST_SKIP() << "no tidecv: run tools/setup.sh";
  ASSERT_EQ(finished.status, 0) << finished.errors;

  std::array<double, 6> most{};
  std::istringstream lines(finished.output);
  std::uint32_t seed = 0;
  for (std::string line; std::getline(lines, line); ++seed) {
    SCOPED_TRACE(testing::Message() << "plain_case(" << seed << ")");
    const auto expected = nlohmann::json::parse(line);
    const RandomCase one = plain_case(seed);

    const ErrorSplit split = split_errors(one.annotations, one.detections);

    EXPECT_NEAR(split.ap50, expected.at("ap50").get<double>(), kTolerance);
    for (std::size_t i = 0; i < split.shares.size(); ++i) {
      EXPECT_NEAR(split.shares[i].gain, expected.at("gains").at(i).get<double>(), kTolerance)
          << kErrorNames[i];
      EXPECT_EQ(split.shares[i].count, expected.at("counts").at(i).get<std::size_t>())
          << kErrorNames[i];
      most[i] = std::max(most[i], split.shares[i].gain);
    }
  }
  EXPECT_EQ(seed, kTideCases);
  EXPECT_THAT(most, testing::Each(testing::Gt(0.0)));  // No kind is left untried.
}

TEST(SplitErrors, EqualsTheAuthorsImplementationOnARealModel) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  // Scores of five digits tie; which of two is cut off is the implementation's choice.
  constexpr double kTies = 1e-4;
  const auto annotations = read_annotations(*data / "coco/annotations/instances_val2017.json");
  const auto detections = read_detections(*data / "reference/yolov5n.fp32.val2017.detections.json");
  const test::TemporaryFolder folder;
  write_file(folder / "cases.json", "[{\"annotations\":" + to_json(annotations) +
                                        ",\"detections\":" + to_json(detections) + "}]");
  const auto finished =
      test::run_python("tests/coco/tide_oracle.py", {(folder / "cases.json").string()});
  if (finished.status == kNotThere) GTEST_SKIP() << "no tidecv: run tools/setup.sh";
  ASSERT_EQ(finished.status, 0) << finished.errors;
  const auto expected = nlohmann::json::parse(finished.output);

  const ErrorSplit split = split_errors(annotations, detections);

  EXPECT_NEAR(split.ap50, expected.at("ap50").get<double>(), kTies);
  for (std::size_t i = 0; i < split.shares.size(); ++i) {
    EXPECT_GT(split.shares[i].gain, 10 * kTies) << kErrorNames[i];
    EXPECT_NEAR(split.shares[i].gain, expected.at("gains").at(i).get<double>(), kTies)
        << kErrorNames[i];
  }
}

}  // namespace
}  // namespace yoloq::coco
