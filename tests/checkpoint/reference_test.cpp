// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <ostream>
#include <sstream>

#include "checkpoint/checkpoint.h"
#include "onnx/model_file.h"
#include "support/data.h"

namespace yoloq::checkpoint {
namespace {

using model::EmitOptions;
using model::Head;
using model::ModelInfo;
using testing::ElementsAre;

constexpr double kTolerance = 1e-4;  // Of the largest value; float32 sums in another order.

struct Row {
  const char* weights;
  int side_px;
  const char* names;  ///< First and last.
  int classes;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.weights; }

constexpr Row kRows[] = {
    {"yolov5n", 640, "person toothbrush", 80},
    {"yolov5n-duckietown", 320, "duckie bus", 4},
    {"yolov5n-ppe", 320, "helmet vest", 2},
    {"yolov5s-v5.0-random", 320, "0 79", 80},
};

class RealCheckpoint : public testing::TestWithParam<Row> {
 protected:
  /// The largest difference of any output, relative to the output's largest value.
  double difference(const EmitOptions& options) {
    const auto data = *test::data_folder();
    const test::TemporaryFolder folder;
    const std::string name = GetParam().weights;
    onnx::write_model(load_graph(data / "weights" / (name + ".pt"), options), folder / "m.onnx");
    const auto reference =
        data / "reference" / (name + "." + std::to_string(GetParam().side_px) + ".npz");
    const auto run =
        test::run_python("tests/checkpoint/compare_reference.py",
                         {(folder / "m.onnx").string(), reference.string(), "--check"});
    EXPECT_EQ(run.status, 0) << run.errors;

    double largest = run.output.empty() ? 1 : 0;
    std::istringstream lines(run.output);
    std::string output;
    for (double value = 0; lines >> output >> value;) largest = std::max(largest, value);
    return largest;
  }
};

TEST_P(RealCheckpoint, GivesTheReferenceHeads) {
  if (!test::data_folder()) GTEST_SKIP() << test::kNoData;
  const int side = GetParam().side_px;

  EXPECT_LE(difference({.height = side, .width = side}), kTolerance);
  EXPECT_LE(difference({.batch = {}, .height = {}, .width = {}, .opset = 17}), kTolerance);
}

class RealBoxes : public RealCheckpoint {};

TEST_P(RealBoxes, AreThoseOfTheReference) {
  if (!test::data_folder()) GTEST_SKIP() << test::kNoData;
  const int side = GetParam().side_px;

  EXPECT_LE(difference({.height = side, .width = side, .head = Head::decoded}), kTolerance);
  EXPECT_LE(
      difference({.batch = {}, .height = {}, .width = {}, .head = Head::decoded, .opset = 19}),
      kTolerance);
}

TEST_P(RealCheckpoint, KnowsNamesStridesAndAnchors) {
  if (!test::data_folder()) GTEST_SKIP() << test::kNoData;

  const ModelInfo info =
      read_model(*test::data_folder() / "weights" / (std::string(GetParam().weights) + ".pt")).info;

  EXPECT_EQ(info.names.front() + " " + info.names.back(), GetParam().names);
  EXPECT_EQ(info.class_count, GetParam().classes);
  EXPECT_EQ(static_cast<int>(info.names.size()), GetParam().classes);
  EXPECT_THAT(info.strides, ElementsAre(8, 16, 32));
  EXPECT_EQ(info.max_stride, 32);
  EXPECT_EQ(info.anchors,
            (std::vector<std::vector<model::Anchor>>{{{10, 13}, {16, 30}, {33, 23}},
                                                     {{30, 61}, {62, 45}, {59, 119}},
                                                     {{116, 90}, {156, 198}, {373, 326}}}));
}

INSTANTIATE_TEST_SUITE_P(, RealCheckpoint, testing::ValuesIn(kRows));

// The reference of the first has no decoded boxes.
INSTANTIATE_TEST_SUITE_P(, RealBoxes, testing::ValuesIn(std::begin(kRows) + 1, std::end(kRows)));

}  // namespace
}  // namespace yoloq::checkpoint
