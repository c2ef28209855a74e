// SPDX-License-Identifier: Apache-2.0
#include "dataset/anchor_fit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <sstream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Sides> kAnchors{{10, 13},  {16, 30},  {33, 23},   {30, 61},  {62, 45},
                                  {59, 119}, {116, 90}, {156, 198}, {373, 326}};

std::string lines_of(std::span<const Sides> sides) {
  std::string text;
  for (const auto& [width, height] : sides) text += fmt::format("{} {}\n", width, height);
  return text;
}

TEST(FitAnchors, CountsAsNumpyDoes) {
  std::mt19937 random(1);
  std::lognormal_distribution<float> side(3, 1.6f);
  std::vector<Sides> boxes;
  for (int i = 0; i < 2000; ++i) boxes.push_back({side(random), side(random)});
  const test::TemporaryFolder folder;
  write_file(folder / "boxes.txt", lines_of(boxes));
  write_file(folder / "anchors.txt", lines_of(kAnchors));

  for (const double limit : {4.0, 2.91}) {
    const AnchorFit fit = fit_anchors(boxes, kAnchors, limit);

    const auto finished =
        test::run_python("tests/dataset/anchor_oracle.py",
                         {folder / "boxes.txt", folder / "anchors.txt", fmt::format("{}", limit)});
    ASSERT_EQ(finished.status, 0) << finished.errors;
    std::istringstream words(finished.output);
    double recall = 0, per_box = 0;
    words >> recall >> per_box;
    EXPECT_DOUBLE_EQ(fit.best_possible_recall, recall);
    EXPECT_DOUBLE_EQ(fit.anchors_per_box, per_box);
    EXPECT_GT(recall, 0.1);
    EXPECT_LT(recall, 0.98);
  }
}

TEST(FitAnchors, MatchesBelowTheFactorOnly) {
  const std::vector<Sides> anchors{{10, 10}, {20, 20}};

  const AnchorFit fit =
      fit_anchors(std::vector<Sides>{{40, 10}, {39, 10}, {5, 5}, {1, 1}}, anchors, 4);

  EXPECT_DOUBLE_EQ(fit.best_possible_recall, 3.0 / 4);           // Not the last.
  EXPECT_DOUBLE_EQ(fit.anchors_per_box, (1 + 2 + 1 + 0) / 4.0);  // 40 / 10 and 20 / 5 are 4.
  EXPECT_EQ(fit.boxes, 4u);
  EXPECT_FALSE(fit.is_good());
}

TEST(FitAnchors, NeverMatchesABoxWithoutArea) {
  EXPECT_EQ(fit_anchors(std::vector<Sides>{{0, 10}}, kAnchors, 4).best_possible_recall, 0);
}

TEST(FitAnchors, IsGoodAbove98Percent) {
  const std::vector<Sides> boxes(10, Sides{30, 30});

  EXPECT_TRUE(fit_anchors(boxes, kAnchors, 4).is_good());
}

TEST(BoxSides, AreScaledWithTheLongerSideOfTheImage) {
  GroundTruth truth;
  truth.sizes = {{640, 480}, {100, 200}};
  truth.boxes = {{.image = 0, .width = 64, .height = 48}, {.image = 1, .width = 10, .height = 20}};

  EXPECT_THAT(box_sides(truth, 320), ElementsAre(Sides{32, 24}, Sides{16, 32}));
}

TEST(BoxSides, OfAnIndexAreThoseOfItsGroundTruth) {
  LabelIndex index;
  index.sizes = {{640, 480}, {100, 200}};
  index.labels = {{.width = 0.1f, .height = 0.1f}, {.width = 0.1f, .height = 0.1f}};
  index.ends = {1, 2};

  EXPECT_THAT(box_sides(index, 320), ElementsAre(Sides{32, 24}, Sides{16, 32}));
}

std::string refusal(std::span<const Sides> boxes, std::span<const Sides> anchors, double limit) {
  try {
    fit_anchors(boxes, anchors, limit);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(FitAnchors, RefusesWhatHasNoFit) {
  const std::vector<Sides> boxes{{1, 1}};
  const std::vector<Sides> flat{{0, 1}};

  EXPECT_THAT(refusal(boxes, {}, 4), HasSubstr("there are none"));
  EXPECT_THAT(refusal({}, kAnchors, 4), HasSubstr("no boxes"));
  EXPECT_THAT(refusal(boxes, flat, 4), HasSubstr("0 x 1 pixels"));
  EXPECT_THAT(refusal(boxes, kAnchors, 1), HasSubstr("must be above 1"));
  EXPECT_THAT(refusal(boxes, kAnchors, NAN), HasSubstr("must be above 1"));
  EXPECT_THROW(box_sides(GroundTruth{}, 0), Error);
}

}  // namespace
}  // namespace yoloq::dataset
