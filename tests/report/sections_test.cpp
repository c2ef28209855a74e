// SPDX-License-Identifier: Apache-2.0
#include "report/sections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "report/some_run.h"
#include "vision/image.h"

namespace yoloq::report {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// The blocks of one kind in a section.
template <typename T>
std::vector<T> all_of_kind(const Section& section) {
  std::vector<T> found;
  for (const Block& block : section.blocks) {
    if (const T* one = std::get_if<T>(&block)) found.push_back(*one);
  }
  return found;
}

TEST(Sections, OfAWholeFolderMissNothing) {
  const SomeRun folder;

  const Document document = make_document(read_run(folder.path()));

  EXPECT_THAT(document.sections, SizeIs(13));
  for (const Section& section : document.sections) {
    EXPECT_THAT(all_of_kind<Missing>(section), IsEmpty()) << section.title;
    EXPECT_THAT(section.blocks, Not(IsEmpty())) << section.title;
    for (const Table& table : all_of_kind<Table>(section)) {
      for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.header.size());
    }
  }
}

struct Needed {
  const char* name;
  Section (*section)(const RunFolder&);
  std::vector<std::string> files;  ///< That the section is made from.
  const char* command;             ///< That makes them.
};

void PrintTo(const Needed& row, std::ostream* out) { *out << row.name; }

class EverySection : public testing::TestWithParam<Needed> {};

TEST_P(EverySection, WithoutItsFilesSaysWhichCommandMakesThem) {
  const SomeRun folder;
  for (const std::string& file : GetParam().files) folder.remove(file);

  const Section section = GetParam().section(read_run(folder.path()));

  const auto missing = all_of_kind<Missing>(section);
  ASSERT_THAT(missing, SizeIs(1));
  EXPECT_THAT(missing[0].command,
              AllOf(HasSubstr(GetParam().command), HasSubstr(folder.path().string())));
}

const Needed kNeeded[] = {
    {"Results", results_section, {"eval.json"}, "yoloq eval"},
    {"Speed", speed_section, {"bench.json"}, "yoloq bench"},
    {"Front", front_section, {"search.json"}, "yoloq search"},
    {"Classes", classes_section, {"eval.json"}, "yoloq eval"},
    {"Curves", curves_section, {"eval.json"}, "yoloq eval"},
    {"Errors", errors_section, {"eval.json"}, "yoloq eval"},
    {"Shift", shift_section, {"b.detections.json"}, "yoloq eval"},
    {"Changes", changes_section, {"b.detections.json"}, "yoloq eval"},
    {"Sensitivity", sensitivity_section, {"sens.json"}, "yoloq sensitivity"},
    {"Ranges", ranges_section, {"q.ranges"}, "yoloq quantize"},
    {"RangesWithoutAPlan", ranges_section, {"q.plan.yaml"}, "yoloq quantize"},
    {"Training", training_section, {"results.csv"}, "yoloq train"},
    {"Layers", layers_section, {"eval.json"}, "yoloq eval"},
};

INSTANTIATE_TEST_SUITE_P(OfReport, EverySection, testing::ValuesIn(kNeeded),
                         [](const auto& row) { return row.param.name; });

TEST(ResultsSection, HasTheFiguresAndHowTheModelWasMade) {
  const SomeRun folder;

  const auto tables = all_of_kind<Table>(results_section(read_run(folder.path())));

  ASSERT_THAT(tables, SizeIs(2));
  EXPECT_THAT(tables[0].rows,
              ElementsAre(ElementsAre("a.pt", "engine fp32", "fp32", "0 / 2", "0.5000", "0.6000",
                                      "7.50", "5.00"),
                          ElementsAre(kHostileName, "PTQ (mse, target tensorrt), 1 layer in float",
                                      "fp32", "0 / 2", "0.4000", "0.5000", "7.50", "4.00")));
  EXPECT_THAT(tables[1].rows,
              ElementsAre(ElementsAre(kHostileName, "-0.1000", "-0.1100 to -0.0800", "+0.0000",
                                      "-0.0100 to +0.0200, may be chance")));
}

TEST(SensitivitySection, PutsTheMostSensitiveLayerOnTop) {
  const SomeRun folder;

  const Figure figure = all_of_kind<Figure>(sensitivity_section(read_run(folder.path()))).at(0);

  EXPECT_THAT(figure.plot.bars->names, ElementsAre("model.0.conv", "model.1.conv"));
  EXPECT_THAT(figure.plot.bars->series.at(0).y, ElementsAre(0.5, 0.1));
}

TEST(TrainingSection, ShowsTheBestAndTheLastEpochAndTheirWay) {
  const SomeRun folder;

  const Section section = training_section(read_run(folder.path()));

  EXPECT_THAT(
      all_of_kind<Table>(section).at(0).rows,
      ElementsAre(ElementsAre("best", "1", "0.4500", "0.4800", "0.7000", "0.6000", "0.7200"),
                  ElementsAre("last", "2", "0.3500", "0.9000", "0.8000", "0.7000", "0.5150")));
  const auto figures = all_of_kind<Figure>(section);
  ASSERT_THAT(figures, SizeIs(5));  // Three parts of the loss, accuracy, learning rates.
  const auto& box = figures[0].plot.chart->series;
  ASSERT_THAT(box, SizeIs(2));
  EXPECT_THAT(box[0].x, ElementsAre(0, 1, 2));
  EXPECT_THAT(box[0].y, ElementsAre(0.125, 0.12, 0.115));
  EXPECT_THAT(box[1].y, ElementsAre(0.11, 0.1, 0.12));
  EXPECT_THAT(figures[2].plot.chart->series, SizeIs(1));  // No number of the other in the file.
  EXPECT_THAT(figures[3].plot.chart->series, SizeIs(4));
  EXPECT_THAT(figures[4].plot.chart->series.at(0).y, ElementsAre(0.1, 0.08, 0.06));
}

TEST(TrainingSection, SaysWhichFileWhereThereAreTwo) {
  const SomeRun folder;
  folder.write("qat.csv", read_file(folder / "results.csv"));

  const auto figures = all_of_kind<Figure>(training_section(read_run(folder.path())));

  ASSERT_THAT(figures, SizeIs(10));
  EXPECT_THAT(figures[0].plot.title, HasSubstr("qat.csv"));
}

TEST(FrontSection, JoinsTheFrontByLatencyAndLeavesOutTheRest) {
  const SomeRun folder;

  const Section section = front_section(read_run(folder.path()));

  const Chart chart = *all_of_kind<Figure>(section).at(0).plot.chart;
  EXPECT_THAT(chart.series.at(0).x, ElementsAre(6.0, 12.0));
  EXPECT_THAT(chart.series.at(0).y, ElementsAre(0.4, 0.5));
  EXPECT_THAT(chart.series.at(1).x, ElementsAre(13.0));
  EXPECT_THAT(all_of_kind<Table>(section).at(0).rows.at(0),
              ElementsAre("1", "fast", "0.4000", "6.00"));
}

TEST(FrontSection, IsOfAgreementWhereTheFileHasItForAll) {
  const SomeRun folder;
  auto json = nlohmann::ordered_json::parse(read_file(folder / "search.json"));
  json["candidates"][0]["agreement"] = 85.0;
  json["candidates"][1]["agreement"] = 80.0;
  folder.write("search.json", json.dump());
  const auto figure = [&] {
    return all_of_kind<Figure>(front_section(read_run(folder.path()))).at(0);
  };

  EXPECT_EQ(figure().plot.y_label, "mAP .5:.95");  // One candidate does not say.
  json["candidates"][2]["agreement"] = 79.0;
  folder.write("search.json", json.dump());
  EXPECT_EQ(figure().plot.y_label, "agreement with float, %");
  EXPECT_THAT(figure().plot.chart->series.at(0).y, ElementsAre(80.0, 85.0));
  EXPECT_THAT(figure().caption, testing::HasSubstr("agreement with the float model"));
}

TEST(FrontSection, HasTheAgreementBesideEachModelThatSaysIt) {
  const SomeRun folder;
  auto json = nlohmann::ordered_json::parse(read_file(folder / "search.json"));
  json["candidates"][0]["agreement"] = 85.126;
  json["candidates"][1]["final_ap"] = 0.35;
  folder.write("search.json", json.dump());

  const Table table = all_of_kind<Table>(front_section(read_run(folder.path()))).at(0);

  EXPECT_EQ(table.header.at(2), "agreement with float, %");
  EXPECT_THAT(table.rows.at(0),
              ElementsAre("1", "fast", "-", "0.4000", "6.00", "0.3500", "-", "-"));
  EXPECT_THAT(table.rows.at(1),
              ElementsAre("2", "slow", "85.13", "0.5000", "12.00", "-", "-", "-"));
}

TEST(FrontSection, HasFiguresOfImagesThatTheSearchDidNotSee) {
  const SomeRun folder;
  auto json = nlohmann::ordered_json::parse(read_file(folder / "search.json"));
  json["candidates"][1]["final_ap"] = 0.35;
  json["candidates"][1]["final_difference"] = {{"ap", -0.02}, {"low", -0.03}, {"high", -0.01}};
  folder.write("search.json", json.dump());

  const Table table = all_of_kind<Table>(front_section(read_run(folder.path()))).at(0);

  EXPECT_THAT(table.rows.at(0), ElementsAre("1", "fast", "0.4000", "6.00", "0.3500", "-0.0200",
                                            "-0.0300 to -0.0100"));
  EXPECT_THAT(table.rows.at(1), ElementsAre("2", "slow", "0.5000", "12.00", "-", "-", "-"));
}

TEST(FrontSection, ShowsTheEvaluatedModelsWhereThereWasNoSearch) {
  const SomeRun folder;
  folder.remove("search.json");

  const Section section = front_section(read_run(folder.path()));

  EXPECT_THAT(all_of_kind<Figure>(section).at(0).plot.chart->series.at(0).x, ElementsAre(4.0, 5.0));
}

TEST(RangesSection, HasTheValuesAndTheThresholds) {
  const SomeRun folder;

  const Section section = ranges_section(read_run(folder.path()));

  const Chart chart = *all_of_kind<Figure>(section).at(0).plot.chart;
  double values = 0;
  for (const double count : chart.series.at(0).y) values += count;
  EXPECT_EQ(values, 6);
  ASSERT_THAT(chart.lines, SizeIs(2));
  EXPECT_NEAR(chart.lines[1].at, 2.0, 1e-6);  // 127 * scale.
  EXPECT_NEAR(chart.lines[0].at, -128 * 2.0 / 127, 1e-6);
  // Of six values one, 3.0, lies beyond 2.0.
  EXPECT_EQ(all_of_kind<Table>(section).at(0).rows.at(0).at(6), "16.6667 %");
}

TEST(RangesSection, CallsAValueClippedOnlyIfItDoesNotRoundToTheLastCode) {
  const SomeRun folder;
  // The largest of the six values, 3, is 127.4 or 128 steps; the last code is 127.
  for (const auto& [scale, clipped] :
       {std::pair(3.0 / 127.4, "0.0000 %"), std::pair(3.0 / 128, "16.6667 %")}) {
    auto plan = quantize::parse_plan(read_file(folder / "q.plan.yaml"));
    plan.activations.at(0).quantizer.scale = static_cast<float>(scale);
    folder.write("q.plan.yaml", quantize::to_yaml(plan));

    const Section section = ranges_section(read_run(folder.path()));

    EXPECT_EQ(all_of_kind<Table>(section).at(0).rows.at(0).at(6), clipped);
  }
}

TEST(RangesSection, OfSeveralPlansTakesTheOneWithTheNameOfTheRanges) {
  const SomeRun folder;
  folder.write("best.plan.yaml", read_file(folder / "q.plan.yaml"));

  const auto texts = all_of_kind<Text>(ranges_section(read_run(folder.path())));

  EXPECT_THAT(texts.at(0).words, HasSubstr("1 of 1 activations of q.plan.yaml"));
}

TEST(ClassesSection, LeavesOutClassesWithoutBoxesAndPutsTheLargestLossFirst) {
  const SomeRun folder;

  const Section section = classes_section(read_run(folder.path()));

  const Bars bars = *all_of_kind<Figure>(section).at(0).plot.bars;
  EXPECT_THAT(bars.names, ElementsAre("cat (5)", "dog (4)"));
  EXPECT_NEAR(bars.series.at(0).y.at(0), 0.4 - 0.5, 1e-12);
  EXPECT_NEAR(bars.series.at(0).y.at(1), 0.2 - 0.25, 1e-12);
}

TEST(ShiftSection, CountsWhatMovedAndWhatIsNew) {
  const SomeRun folder;

  const Section section = shift_section(read_run(folder.path()));

  EXPECT_THAT(all_of_kind<Table>(section).at(0).rows.at(0),
              ElementsAre(kHostileName, "1", "-0.3000", "0", "1"));
  const auto figures = all_of_kind<Figure>(section);
  EXPECT_THAT(figures.at(1).plot.chart->series.at(0).x,
              ElementsAre(0.75));  // The mean of .9 and .6 is in .7 to .8.
}

TEST(ShiftSection, DrawsNoMeanWhereOnlyHighScoresOfOneModelTakePart) {
  const SomeRun folder;
  folder.write("a.detections.json",
               R"([{"image_id": 1, "category_id": 1, "bbox": [5, 5, 20, 20], "score": 0.12}])");
  folder.write("b.detections.json",
               R"([{"image_id": 1, "category_id": 1, "bbox": [5, 5, 20, 20], "score": 0.02}])");

  const Section section = shift_section(read_run(folder.path()));

  EXPECT_EQ(all_of_kind<Table>(section).at(0).rows.at(0).at(1), "1");
  EXPECT_THAT(all_of_kind<Figure>(section), SizeIs(1));  // The histogram alone.
}

TEST(ChangesSection, CountsAnObjectBelowTheShownScoreAsLost) {
  const SomeRun folder;
  folder.write("b.detections.json",
               R"([{"image_id": 1, "category_id": 1, "bbox": [5, 5, 20, 20], "score": 0.2}])");

  const auto pictures = all_of_kind<Pictures>(changes_section(read_run(folder.path())));

  EXPECT_THAT(pictures.at(0).caption,
              HasSubstr("of 1 objects 1 above 0.25 left only, 0 right only, 0 with"));
}

TEST(ChangesSection, DrawsBothModelsBoxes) {
  const SomeRun folder;

  const auto pictures = all_of_kind<Pictures>(changes_section(read_run(folder.path())));

  ASSERT_THAT(pictures, SizeIs(1));
  EXPECT_EQ(
      pictures[0].caption,
      "000000000001.jpg: of 2 objects 0 above 0.25 left only, 1 right only, 1 with another score");
  ASSERT_THAT(pictures[0].jpegs, SizeIs(2));
  // Enlarged: what is written on the boxes of so small an image could not be read.
  for (const std::string& jpeg : pictures[0].jpegs) {
    EXPECT_EQ(vision::decode_image(jpeg, "drawn").size, (vision::Size{480, 360}));
  }
  EXPECT_NE(pictures[0].jpegs[0], pictures[0].jpegs[1]);
}

/// Adds models to the folder's evaluation that find what its second one finds.
void add_models(const SomeRun& folder, int count) {
  auto json = nlohmann::ordered_json::parse(read_file(folder / "eval.json"));
  for (int i = 0; i < count; ++i) {
    auto model = json["models"][1];
    model["file"] = "more-" + std::to_string(i) + ".onnx";
    json["models"].push_back(std::move(model));
  }
  folder.write("eval.json", json.dump());
}

/// As many images as are told, of which each shows both models the same as image 1.
void add_images(const SomeRun& folder, int count) {
  auto evaluation = nlohmann::ordered_json::parse(read_file(folder / "eval.json"));
  evaluation["image_files"] = nlohmann::ordered_json::array();
  for (int i = 1; i <= count; ++i) {
    evaluation["image_files"].push_back(
        {{"id", i}, {"file", (folder / "000000000001.jpg").string()}});
  }
  folder.write("eval.json", evaluation.dump());
  for (const std::string name : {"a.detections.json", "b.detections.json"}) {
    const auto of_one = nlohmann::ordered_json::parse(read_file(folder / name));
    auto all = nlohmann::ordered_json::array();
    for (int i = 1; i <= count; ++i) {
      for (auto detection : of_one) {
        detection["image_id"] = i;
        all.push_back(detection);
      }
    }
    folder.write(name, all.dump());
  }
}

std::vector<std::string> words_of(const std::vector<Heading>& headings) {
  std::vector<std::string> words;
  for (const Heading& heading : headings) words.push_back(heading.words);
  return words;
}

TEST(ChangesSection, IsOfEachModelUnderItsName) {
  const SomeRun folder;
  folder.write("c.detections.json", read_file(folder / "a.detections.json"));  // As the first.
  add_models(folder, 2);
  auto json = nlohmann::ordered_json::parse(read_file(folder / "eval.json"));
  json["models"][2]["detections"] = "c.detections.json";
  folder.write("eval.json", json.dump());

  const Section section = changes_section(read_run(folder.path()));

  EXPECT_THAT(words_of(all_of_kind<Heading>(section)),
              ElementsAre(kHostileName, "more-0.onnx", "more-1.onnx"));
  EXPECT_THAT(all_of_kind<Pictures>(section), SizeIs(2));
  // Below the second name, and nowhere else.
  const auto is_second = [](const Block& block) {
    const auto* heading = std::get_if<Heading>(&block);
    return heading != nullptr && heading->words == "more-0.onnx";
  };
  const auto second = std::ranges::find_if(section.blocks, is_second);
  EXPECT_EQ(std::get<Text>(*std::next(second)).words, "No detection changed.");
}

TEST(ChangesSection, ShowsSixImagesOfAModelAndSaysOfHowMany) {
  const SomeRun folder;
  add_images(folder, 8);

  const Section section = changes_section(read_run(folder.path()));

  EXPECT_THAT(all_of_kind<Pictures>(section), SizeIs(6));
  EXPECT_EQ(all_of_kind<Text>(section).at(1).words, "Shown: 6 of the 8 images with a change.");
}

TEST(ChangesSection, SharesItsRoomAmongManyModels) {
  const SomeRun folder;
  add_models(folder, 6);  // Seven: 3 of 24 for each.
  add_images(folder, 8);

  const Section seven = changes_section(read_run(folder.path()));

  EXPECT_THAT(all_of_kind<Pictures>(seven), SizeIs(7 * 3));
  EXPECT_THAT(all_of_kind<Text>(seven).back().words, HasSubstr("Shown: 3 of the 8"));

  add_models(folder, 19);
  const Section many = changes_section(read_run(folder.path()));

  EXPECT_THAT(all_of_kind<Pictures>(many), SizeIs(24));
  EXPECT_THAT(all_of_kind<Heading>(many), SizeIs(24));
  EXPECT_EQ(all_of_kind<Text>(many).back().words, "Of 26 other models the first 24 are shown.");
}

TEST(ChangesSection, SaysWhichImageIsGone) {
  const SomeRun folder;
  folder.remove("000000000001.jpg");

  const auto missing = all_of_kind<Missing>(changes_section(read_run(folder.path())));

  ASSERT_THAT(missing, SizeIs(1));
  EXPECT_THAT(missing[0].what, HasSubstr("image 1 "));
}

TEST(ProvenanceSection, NamesEveryFileWithItsCommandAndMachine) {
  const SomeRun folder;

  const auto tables = all_of_kind<Table>(provenance_section(read_run(folder.path())));

  std::vector<std::string> files;
  for (const auto& row : tables.at(0).rows) files.push_back(row.front());
  EXPECT_THAT(files, testing::IsSupersetOf({"eval.json", "sens.json", "q.ranges", "q.plan.yaml",
                                            "search.json", "bench.json", "a.detections.json"}));
  EXPECT_THAT(tables[0].rows,
              Contains(ElementsAre("eval.json", "evaluation", "yoloq 0.1.0", "2026-01-31T12:00:00Z",
                                   "a.pt hash-of-a, " + std::string(kHostileName) + " hash-of-b")));
  EXPECT_THAT(tables.at(1).rows,
              Contains(ElementsAre("eval.json", HasSubstr("yoloq eval --weights a.pt"),
                                   "Some CPU, 2 threads", "SomeEngine 1.2")));
}

}  // namespace
}  // namespace yoloq::report
