// SPDX-License-Identifier: Apache-2.0
#include "train/detail/match_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace yoloq::train::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Cell = std::pair<std::int64_t, std::int64_t>;

/// 4 rows and 8 columns with one anchor of 2 x 2 cells.
Level a_level() { return {.rows = 4, .columns = 8, .anchors = {{2, 2}}}; }

/// A box of 2 x 2 cells of a_level() with its centre there.
ImageLabel at_cell(float column, float row) {
  return {.x = column / 8, .y = row / 4, .width = 2.0f / 8, .height = 2.0f / 4};
}

/// Where a target is.
struct Place {
  std::int64_t image, anchor, row, column;
};

std::vector<Place> places_of(const LevelTargets& targets, const Level& level) {
  const auto anchors = static_cast<std::int64_t>(level.anchors.size());
  std::vector<Place> places;
  for (const std::int64_t cell : targets.cells) {
    const std::int64_t grid = cell / (level.rows * level.columns);
    places.push_back(
        {grid / anchors, grid % anchors, cell / level.columns % level.rows, cell % level.columns});
  }
  return places;
}

/// One field of every place.
std::vector<std::int64_t> each(std::int64_t Place::*field, const LevelTargets& targets,
                               const Level& level) {
  std::vector<std::int64_t> values;
  for (const Place& place : places_of(targets, level)) values.push_back(place.*field);
  return values;
}

/// (column, row) of every target of a_level().
std::vector<Cell> cells_of(const LevelTargets& targets) {
  std::vector<Cell> cells;
  for (const Place& place : places_of(targets, a_level())) {
    cells.emplace_back(place.column, place.row);
  }
  return cells;
}

std::vector<Cell> cells_of(const ImageLabel& label) {
  return cells_of(match_labels({&label, 1}, a_level(), 4));
}

TEST(MatchLabels, TakesTheTwoNearestNeighboursToo) {
  EXPECT_THAT(cells_of(at_cell(3.25f, 2.25f)), ElementsAre(Cell(3, 2), Cell(2, 2), Cell(3, 1)));
  EXPECT_THAT(cells_of(at_cell(3.75f, 2.75f)), ElementsAre(Cell(3, 2), Cell(4, 2), Cell(3, 3)));
}

TEST(MatchLabels, LeavesOutNeighboursOutsideTheImage) {
  EXPECT_THAT(cells_of(at_cell(0.25f, 0.25f)), ElementsAre(Cell(0, 0)));
  EXPECT_THAT(cells_of(at_cell(7.75f, 3.75f)), ElementsAre(Cell(7, 3)));
}

TEST(MatchLabels, TakesNoNeighbourOfACentreInTheMiddleOfItsCell) {
  EXPECT_THAT(cells_of(at_cell(3.5f, 2.5f)), ElementsAre(Cell(3, 2)));
}

TEST(MatchLabels, MovesACentreOnTheFarBorderIntoTheLastCell) {
  const ImageLabel label = at_cell(8, 4);

  const LevelTargets targets = match_labels({&label, 1}, a_level(), 4);

  EXPECT_THAT(cells_of(targets), ElementsAre(Cell(7, 3), Cell(7, 3), Cell(7, 3)));
  EXPECT_THAT(targets.last, ElementsAre(2));
}

TEST(MatchLabels, GivesBoxesFromTheirCellsCorner) {
  const ImageLabel label = at_cell(3.25f, 2.5f);

  const LevelTargets targets = match_labels({&label, 1}, a_level(), 4);

  EXPECT_THAT(targets.boxes, ElementsAre(0.25f, 0.5f, 2, 2, /**/ 1.25f, 0.5f, 2, 2));
  EXPECT_THAT(targets.anchor_sides, ElementsAre(2, 2, 2, 2));
}

TEST(MatchLabels, TakesAnchorsWhoseSidesDifferByLessThanTheRatio) {
  Level level = a_level();
  level.anchors = {{2, 2}, {7.9f, 2}, {8, 2}, {2, 0.51f}, {2, 0.5f}};
  const ImageLabel label = at_cell(3.5f, 2.5f);

  const LevelTargets targets = match_labels({&label, 1}, level, 4);

  EXPECT_THAT(each(&Place::anchor, targets, level), ElementsAre(0, 1, 3));
}

TEST(MatchLabels, LeavesOutABoxWithoutArea) {
  ImageLabel label = at_cell(3.5f, 2.5f);
  label.width = 0;

  EXPECT_THAT(cells_of(label), IsEmpty());
}

TEST(MatchLabels, OrdersByRuleThenAnchorThenLabel) {
  Level level = a_level();
  level.anchors = {{2, 2}, {3, 3}};
  std::vector<ImageLabel> labels{at_cell(3.25f, 2.5f), at_cell(5.5f, 1.5f)};
  labels[1].image = 1;
  labels[1].class_index = 7;

  const LevelTargets targets = match_labels(labels, level, 4);

  EXPECT_THAT(each(&Place::image, targets, level), ElementsAre(0, 1, 0, 1, /**/ 0, 0));
  EXPECT_THAT(each(&Place::anchor, targets, level), ElementsAre(0, 0, 1, 1, /**/ 0, 1));
  EXPECT_THAT(targets.classes, ElementsAre(0, 7, 0, 7, /**/ 0, 0));
}

TEST(MatchLabels, LetsTheLastBoxHaveACell) {
  const std::vector<ImageLabel> labels{at_cell(3.5f, 2.5f), at_cell(6.5f, 2.5f),
                                       at_cell(3.5f, 2.5f)};

  EXPECT_THAT(match_labels(labels, a_level(), 4).last, ElementsAre(1, 2));
}

TEST(MatchLabels, GivesTheSameCellOfTwoImagesToBoth) {
  std::vector<ImageLabel> labels{at_cell(3.5f, 2.5f), at_cell(3.5f, 2.5f)};
  labels[1].image = 1;

  EXPECT_THAT(match_labels(labels, a_level(), 4).last, ElementsAre(0, 1));
}

}  // namespace
}  // namespace yoloq::train::detail
