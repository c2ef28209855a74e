// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "coco/evaluate.h"
#include "coco/random_case.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::coco {
namespace {

using nlohmann::json;
using testing::ElementsAreArray;

constexpr std::uint32_t kCases = 260;
constexpr std::uint32_t kCurvesEvery = 10;  // their arrays are large

bool wants_curves(std::uint32_t seed) { return seed % kCurvesEvery == 0; }

/// What pycocotools says about random_case(0), random_case(1), ...
struct Answers {
  std::vector<json> cases;
  std::vector<double> curves;
};

Answers ask(const test::TemporaryFolder& folder) {
  std::string text = "[";
  for (std::uint32_t seed = 0; seed < kCases; ++seed) {
    const RandomCase one = random_case(seed);
    const json ids = one.image_ids.empty() ? json() : json(one.image_ids);
    text += seed == 0 ? "" : ",";
    text += "{\"annotations\":" + to_json(one.annotations) +
            ",\"detections\":" + to_json(one.detections) + ",\"image_ids\":" + ids.dump() +
            ",\"wants_curves\":" + (wants_curves(seed) ? "true}" : "false}");
  }
  write_file(folder / "cases.json", text + "]");
  const auto finished = test::run_python(
      "tests/coco/oracle.py", {(folder / "cases.json").string(), (folder / "curves").string()});
  EXPECT_EQ(finished.status, 0) << finished.errors;

  Answers answers;
  std::istringstream lines(finished.output);
  for (std::string line; std::getline(lines, line);) answers.cases.push_back(json::parse(line));
  const std::string bytes = finished.status == 0 ? read_file(folder / "curves") : "";
  answers.curves.resize(bytes.size() / sizeof(double));
  std::memcpy(answers.curves.data(), bytes.data(), bytes.size());
  return answers;
}

std::vector<double> to_numbers(const json& list) {
  std::vector<double> numbers;
  for (const auto& text : list) numbers.push_back(std::stod(text.get<std::string>()));
  return numbers;
}

/// The arrays `precision` [T, R, K, A, M] and `recall` [T, K, A, M] in pycocotools' order.
std::vector<double> flatten(const Curves& curves) {
  std::vector<double> values;
  for (const std::size_t recalls : {kRecalls, std::size_t{0}}) {
    for (std::size_t t = 0; t < kThresholds; ++t) {
      for (std::size_t r = 0; r < std::max<std::size_t>(recalls, 1); ++r) {
        for (std::size_t k = 0; k < curves.categories(); ++k) {
          for (std::size_t a = 0; a < kAreas; ++a) {
            for (std::size_t m = 0; m < kDetectionLimits; ++m) {
              const Setting setting{.category = k, .threshold = t, .area = a, .limit = m};
              values.push_back(recalls == 0 ? curves.recall(setting)
                                            : curves.precision(setting)[r]);
            }
          }
        }
      }
    }
  }
  return values;
}

TEST(Oracle, EveryFigureOfRandomCasesEqualsPycocotoolsToTheLastBit) {
  const test::TemporaryFolder folder;
  const Answers expected = ask(folder);
  ASSERT_EQ(expected.cases.size(), kCases);

  std::size_t next_curve = 0;
  for (std::uint32_t seed = 0; seed < kCases; ++seed) {
    SCOPED_TRACE(testing::Message() << "random_case(" << seed << ")");
    const RandomCase one = random_case(seed);

    const Metrics metrics = evaluate(one.annotations, one.detections, {.image_ids = one.image_ids});

    std::vector<double> ap;
    std::vector<double> ap50;
    for (const ClassMetrics& line : metrics.classes) {
      ap.push_back(line.ap);
      ap50.push_back(line.ap50);
    }
    const json& answer = expected.cases[seed];
    EXPECT_THAT(metrics.figures, ElementsAreArray(to_numbers(answer["stats"])));
    EXPECT_THAT(ap, ElementsAreArray(to_numbers(answer["ap"])));
    EXPECT_THAT(ap50, ElementsAreArray(to_numbers(answer["ap50"])));
    if (!wants_curves(seed)) continue;
    const std::vector<double> curves = flatten(metrics.curves);
    ASSERT_LE(next_curve + curves.size(), expected.curves.size());
    const auto begin = expected.curves.begin() + static_cast<std::ptrdiff_t>(next_curve);
    EXPECT_TRUE(std::equal(curves.begin(), curves.end(), begin));
    next_curve += curves.size();
  }
  EXPECT_EQ(next_curve, expected.curves.size());
}

TEST(Oracle, RandomCasesCoverWhatTheyPromise) {
  std::size_t crowds = 0, over_limit = 0, nameless = 0, empty = 0, unknown = 0, subsets = 0;
  for (std::uint32_t seed = 0; seed < kCases; ++seed) {
    const RandomCase one = random_case(seed);
    const Metrics metrics = evaluate(one.annotations, one.detections);
    for (const Box& box : one.annotations.boxes) {
      crowds += box.is_crowd ? 1 : 0;
      nameless += box.id == 0 ? 1 : 0;
    }
    over_limit += metrics.detections + metrics.unknown_category < one.detections.size() ? 1 : 0;
    empty += metrics.boxes == 0 ? 1 : 0;
    unknown += metrics.unknown_category > 0 ? 1 : 0;
    subsets += one.image_ids.empty() ? 0 : 1;
  }

  EXPECT_GT(crowds, 100u);
  EXPECT_GT(over_limit, 10u);
  EXPECT_GT(nameless, 0u);
  EXPECT_GT(empty, 5u);
  EXPECT_GT(unknown, 50u);
  EXPECT_GT(subsets, 30u);
}

TEST(Oracle, StoredFiguresOfARealModelAreReproduced) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const std::string name = "reference/yolov5n.fp32.val2017";
  const json expected = json::parse(read_file(*data / (name + ".stats.json")));
  const auto annotations = read_annotations(*data / "coco/annotations/instances_val2017.json");

  const Metrics metrics =
      evaluate(annotations, read_detections(*data / (name + ".detections.json")));

  for (std::size_t i = 0; i < kFigureNames.size(); ++i) {
    EXPECT_EQ(metrics.figures[i], expected[std::string(kFigureNames[i])]) << kFigureNames[i];
  }
  EXPECT_EQ(metrics.images, 340u);
  EXPECT_EQ(metrics.classes.size(), 80u);
}

}  // namespace
}  // namespace yoloq::coco
