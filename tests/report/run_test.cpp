// SPDX-License-Identifier: Apache-2.0
#include "report/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "report/some_run.h"

namespace yoloq::report {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What read_run() says of a folder that it refuses.
std::string message_of_run(const std::filesystem::path& folder) {
  try {
    read_run(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ReadRun, TakesEachKindOfFileForWhatItHolds) {
  const SomeRun folder;

  const RunFolder run = read_run(folder.path());

  ASSERT_THAT(run.evaluations, SizeIs(1));
  const Evaluation& evaluation = run.evaluations[0];
  ASSERT_THAT(evaluation.models, SizeIs(2));
  EXPECT_EQ(evaluation.models[0].name, "a.pt");
  EXPECT_EQ(evaluation.models[1].name, kHostileName);
  EXPECT_DOUBLE_EQ(evaluation.models[1].ap, 0.4);
  EXPECT_DOUBLE_EQ(evaluation.models[1].ap_gap->value, -0.1);
  EXPECT_FALSE(evaluation.models[0].ap_gap);
  EXPECT_THAT(*evaluation.models[0].detections, SizeIs(1));
  EXPECT_THAT(*evaluation.models[1].detections, SizeIs(2));
  EXPECT_THAT(evaluation.models[0].precision50, SizeIs(101));
  EXPECT_EQ(evaluation.models[0].errors->shares[0].count, 3u);
  EXPECT_EQ(evaluation.models[0].executed.at(0).ms, 1.25);
  EXPECT_THAT(evaluation.image_files, SizeIs(1));
  EXPECT_THAT(run.benched, SizeIs(1));
  EXPECT_DOUBLE_EQ(run.ratios.at(0).ratio, 2.25);
  EXPECT_EQ(run.quantizations.at(0).calibrator, "mse");
  EXPECT_THAT(run.searches.at(0).candidates, SizeIs(3));
  EXPECT_THAT(run.profiles.at(0).value.layers, SizeIs(2));
  EXPECT_THAT(run.ranges, SizeIs(1));
  EXPECT_THAT(run.plans, SizeIs(1));
  EXPECT_THAT(run.trainings.at(0).epochs, SizeIs(3));
  EXPECT_DOUBLE_EQ(run.trainings[0].epochs[1].ap, 0.45);
}

TEST(ReadRun, DoesNotLookAtNames) {
  const SomeRun folder;
  std::filesystem::rename(folder / "sens.json", folder / "x");
  std::filesystem::rename(folder / "q.ranges", folder / "y.bin");
  std::filesystem::rename(folder / "bench.json", folder / "eval-1.json");

  const RunFolder run = read_run(folder.path());

  EXPECT_THAT(run.profiles, SizeIs(1));
  EXPECT_THAT(run.ranges, SizeIs(1));
  EXPECT_THAT(run.benched, SizeIs(1));
}

TEST(ReadRun, ListsWhatItCannotUse) {
  const SomeRun folder;
  folder.write("other.json", R"({"hello": 1})");
  folder.write("list.json", R"([{"image": "a.jpg"}])");
  folder.write("notes.txt", "hello");

  const RunFolder run = read_run(folder.path());

  EXPECT_THAT(run.unknown,
              AllOf(Contains("other.json"), Contains("list.json"), Contains("notes.txt")));
}

TEST(ReadRun, TakesALineOfJsonEachForNothing) {
  const SomeRun folder;
  folder.write("journal.jsonl", "{\"a\": 1}\n{\"b\": 2}\n");

  EXPECT_THAT(read_run(folder.path()).unknown, Contains("journal.jsonl"));
}

TEST(ReadRun, LeavesOutReportsThatStandInTheFolder) {
  const SomeRun folder;
  folder.write("report.json", R"({"format": "yoloq report", "version": 1})");
  folder.write("report.html", "<!DOCTYPE html>");
  folder.write("report.md", "# yoloq report");

  EXPECT_THAT(read_run(folder.path()).unknown, testing::Not(Contains(HasSubstr("report."))));
}

TEST(ReadRun, ReadsAnEvaluationOfAnEarlierVersion) {
  const SomeRun folder;
  for (const char* file : kRunFiles) folder.remove(file);
  folder.write("old.json", R"({"model": "m", "precision": "int8", "layers_int8": 60,
      "layers_total": 60, "AP": 0.28, "AP50": 0.44, "classes": [], "images": 340,
      "latency_ms": {"p50": 1, "p90": 2}, "size_mb": 2.0, "ground_truth": "g", "engine": "e",
      "skipped": [], "notices": []})");

  const RunFolder run = read_run(folder.path());

  ASSERT_THAT(run.evaluations.at(0).models, SizeIs(1));
  EXPECT_EQ(run.evaluations[0].models[0].name, "m");
  EXPECT_FALSE(run.evaluations[0].models[0].detections);
}

TEST(ReadRun, SaysWhereNothingIsToBeShown) {
  const test::TemporaryFolder folder;

  EXPECT_THAT(message_of_run(folder.path()), HasSubstr("yoloq eval"));
  EXPECT_THAT(message_of_run(folder / "none"), HasSubstr("none"));
}

/// Any of the files cut in the middle is one error that names it.
class EveryFile : public testing::TestWithParam<const char*> {};

TEST_P(EveryFile, CutShortIsAnErrorThatNamesIt) {
  const SomeRun folder;
  const std::string whole = read_file(folder / GetParam());

  for (const std::size_t size : {whole.size() / 2, whole.size() - 2}) {
    folder.write(GetParam(), whole.substr(0, size));
    EXPECT_THAT(message_of_run(folder.path()), HasSubstr(GetParam())) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(OfRun, EveryFile, testing::ValuesIn(kRunFiles), [](const auto& row) {
  std::string name = row.param;
  std::ranges::replace(name, '.', '_');
  return name;
});

struct Wrong {
  const char* name;
  const char* file;
  const char* pointer;  ///< Place in the JSON that is replaced.
  const char* value;
  const char* words;
};

void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }

class EveryField : public testing::TestWithParam<Wrong> {};

TEST_P(EveryField, OfTheWrongTypeIsNamedWithItsFile) {
  const SomeRun folder;
  auto json = nlohmann::ordered_json::parse(read_file(folder / GetParam().file));
  json[nlohmann::ordered_json::json_pointer(GetParam().pointer)] =
      nlohmann::ordered_json::parse(GetParam().value);
  folder.write(GetParam().file, json.dump());

  EXPECT_THAT(message_of_run(folder.path()),
              AllOf(HasSubstr(GetParam().file), HasSubstr(GetParam().words)));
}

const Wrong kWrongFields[] = {
    {"ApIsText", "eval.json", "/models/0/AP", R"("high")", "'AP'"},
    {"ModelsAreNumbers", "eval.json", "/models", "[1, 2]", "'models'"},
    {"ClassesAreText", "eval.json", "/models/0/classes", R"("cats")", "'classes'"},
    {"CurveIsShort", "eval.json", "/models/0/precision_at_recall/AP50", "[1, 2]", "'AP50'"},
    {"LatencyIsNumber", "eval.json", "/models/0/latency_ms", "3", "latency_ms"},
    {"ErrorsAreList", "eval.json", "/models/0/errors", "[]", "errors"},
    {"DifferenceIsNumber", "eval.json", "/models/1/difference", "1", "difference"},
    {"GapIsNumber", "eval.json", "/models/1/difference/AP", "1", "'AP'"},
    {"ProvenanceIsText", "eval.json", "/provenance", R"("x")", "provenance"},
    {"MachineIsText", "eval.json", "/provenance/machine", R"("x")", "machine"},
    {"CandidateWithoutAp", "search.json", "/candidates/0", R"({"name": "x"})", "'ap'"},
    {"CandidatesAreObject", "search.json", "/candidates", "{\"a\": 1}", "'candidates'"},
    {"BenchLatencyIsList", "bench.json", "/latency_ms", "[]", "latency_ms"},
};

INSTANTIATE_TEST_SUITE_P(OfFiles, EveryField, testing::ValuesIn(kWrongFields),
                         [](const auto& row) { return row.param.name; });

TEST(ReadRun, ReadsATrainingWithOtherColumns) {
  const SomeRun folder;
  folder.write("results.csv", "epoch,train/box_loss,more\n0,0.5,text\n\n");

  const Training training = read_run(folder.path()).trainings.at(0);

  EXPECT_DOUBLE_EQ(training.epochs.at(0).train_loss[0], 0.5);
  EXPECT_TRUE(std::isnan(training.epochs[0].ap));
}

TEST(ReadRun, NamesTheLineOfATrainingThatIsBroken) {
  const SomeRun folder;
  const std::string head = "epoch,train/box_loss\n0,0.5\n";

  folder.write("results.csv", head + "1,high\n");
  EXPECT_THAT(message_of_run(folder.path()),
              AllOf(HasSubstr("results.csv"), HasSubstr("line 3"), HasSubstr("'high'")));
  folder.write("results.csv", head + "1\n");
  EXPECT_THAT(message_of_run(folder.path()), HasSubstr("line 3 has 1 columns; expected 2"));
  folder.write("results.csv", head + "1,0.");
  EXPECT_THAT(message_of_run(folder.path()), HasSubstr("line 3 was cut off"));
  folder.write("results.csv", "epoch,train/box_loss\n");
  EXPECT_THAT(message_of_run(folder.path()), HasSubstr("no epoch"));
}

TEST(ReadRun, NamesADetectionsFileThatIsBroken) {
  const SomeRun folder;
  folder.write("b.detections.json", R"([{"image_id": 1, "category_id": 1}])");

  EXPECT_THAT(message_of_run(folder.path()), HasSubstr("b.detections.json"));
}

TEST(ReadRun, PrefersTheEvaluationWithMostDetections) {
  const SomeRun folder;
  auto json = nlohmann::ordered_json::parse(read_file(folder / "eval.json"));
  for (auto& model : json["models"]) model["detections"] = "none.json";
  json["models"].push_back(json["models"][0]);
  folder.write("another.json", json.dump());

  const RunFolder run = read_run(folder.path());

  ASSERT_THAT(run.evaluations, SizeIs(2));
  EXPECT_EQ(run.main_evaluation()->file, "eval.json");
}

}  // namespace
}  // namespace yoloq::report
