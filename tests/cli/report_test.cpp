// SPDX-License-Identifier: Apache-2.0
// Reports as users meet them: what other commands wrote with --run becomes a page.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using test::read_json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

bool has_gnuplot() { return test::run_command({"gnuplot", "--version"}).status == 0; }

/// The titles of the sections in which something is missing.
std::vector<std::string> incomplete(const nlohmann::json& report) {
  std::vector<std::string> titles;
  for (const auto& section : report.at("sections")) {
    for (const auto& block : section.at("blocks")) {
      if (block.at("kind") == "missing") titles.push_back(section.at("title"));
    }
  }
  return titles;
}

class ReportCommand : public testing::Test {
 protected:
  /// Runs a command that must succeed.
  std::string run(const std::vector<std::string>& arguments) const {
    const auto finished = project_.run(arguments);
    EXPECT_EQ(finished.status, 0) << arguments.front() << ": " << finished.errors;
    return finished.output;
  }

  void quantize() const {
    run({"quantize", "--weights", "tiny.pt", "--data", "data.yaml", "--img", "64", "--run", "r",
         "--cache", "cache", "--batch-size", "2", "--num-calib-batch", "2"});
  }

  void evaluate() const {
    run({"eval", "--weights", "tiny.pt", "--model", "r/tiny-int8.onnx", "--data", "data.yaml",
         "--img", "64", "--run", "r", "--latency-seconds", "0.1", "--resamples", "20"});
  }

  test::TinyProject project_{4, 3};
};

TEST_F(ReportCommand, ShowsWhatTheOtherCommandsMeasured) {
  project_.label_with_model();
  quantize();
  evaluate();
  run({"sensitivity", "--weights", "tiny.pt", "--data", "data.yaml", "--img", "64", "--cache",
       "cache", "--batch-size", "2", "--num-calib-batch", "2", "--images", "2", "--out",
       "r/sens.json"});
  run({"bench", "--weights", "tiny.pt", "--img", "64", "--seconds", "0.05", "--json",
       "r/bench.json"});

  EXPECT_THAT(test::files_below(project_ / "r"),
              IsSupersetOf({"eval.json", "tiny.detections.json", "tiny-int8.detections.json",
                            "tiny-int8.onnx", "tiny-int8.plan.yaml", "tiny-int8.quantize.json",
                            "tiny-int8.ranges", "sens.json", "bench.json"}));
  run({"report", "r", "--json", "r/report.json"});

  const auto report = read_json(project_ / "r/report.json");
  EXPECT_THAT(incomplete(report), testing::ElementsAre("Accuracy against latency", "Training"));
  const auto evaluation = read_json(project_ / "r/eval.json");
  const auto& rows = report.at("sections").at(0).at("blocks").at(0).at("rows");
  ASSERT_THAT(rows, SizeIs(2));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double ap = evaluation.at("models").at(i).at("AP");
    EXPECT_EQ(rows[i].at(4), fmt::format("{:.4f}", ap));
  }
  EXPECT_THAT(rows[1].at(1).get<std::string>(), HasSubstr("PTQ (mse"));
  EXPECT_THAT(report.at("sections").back().dump(), HasSubstr("yoloq sensitivity --weights"));
}

TEST_F(ReportCommand, WritesPagesThatNeedNothingElse) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";
  project_.label_with_model();
  quantize();
  evaluate();

  const std::string output =
      run({"report", "r", "--html", "out/report.html", "--out", "out/report.md"});

  EXPECT_THAT(output, AllOf(HasSubstr("no sensitivity file in the folder: yoloq sensitivity"),
                            HasSubstr("no search in the folder"), HasSubstr("out/report.html: ")));
  const std::string html = read_file(project_ / "out/report.html");
  EXPECT_THAT(html,
              AllOf(HasSubstr("<svg"), HasSubstr("tiny-int8.onnx"), Not(HasSubstr("src=\"h"))));
  EXPECT_THAT(read_file(project_ / "out/report.md"), HasSubstr("](<report.files/1.svg>)"));
  EXPECT_THAT(test::files_below(project_ / "out"), Contains("report.files/1.svg"));

  run({"report", "r"});
  EXPECT_EQ(read_file(project_ / "r/report.html"), html);
}

TEST_F(ReportCommand, IsTheSameWithItsOwnPagesInTheFolder) {
  quantize();
  run({"report", "r", "--json", "r/report.json"});
  const std::string first = read_file(project_ / "r/report.json");

  run({"report", "r", "--json", "r/report.json"});

  EXPECT_EQ(read_file(project_ / "r/report.json"), first);
}

TEST_F(ReportCommand, NamesABrokenFileAndWritesNothing) {
  fs::create_directory(project_ / "r");
  write_file(project_ / "r/eval.json", "{\"AP\": ");

  const auto finished = project_.run({"report", "r", "--json", "out.json"});

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("r/eval.json"));
  EXPECT_FALSE(fs::exists(project_ / "out.json"));
}

TEST_F(ReportCommand, SaysWhatToRunForAnEmptyFolder) {
  fs::create_directory(project_ / "r");

  for (const std::string folder : {"r", "none"}) {
    const auto finished = project_.run({"report", folder});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.errors, HasSubstr(folder));
  }
}

TEST_F(ReportCommand, EvalSplitsErrorsOfAModel) {
  project_.label_with_model();

  const std::string output =
      run({"eval", "--weights", "tiny.pt", "--data", "data.yaml", "--img", "64", "--errors",
           "--latency-seconds", "0", "--json", "e.json", "--save-json", "d.json"});

  EXPECT_THAT(output, AllOf(HasSubstr("localisation"), HasSubstr("background")));
  const auto errors = read_json(project_ / "e.json").at("errors");
  for (const char* kind : {"class", "localisation", "both", "duplicate", "background", "missed"}) {
    EXPECT_GE(errors.at(kind).at("gain"), 0) << kind;
  }
  EXPECT_NEAR(errors.at("AP50"), read_json(project_ / "e.json").at("AP50"), 0.05);
  EXPECT_THAT(read_json(project_ / "e.json").at("provenance").at("command").get<std::string>(),
              HasSubstr("yoloq eval --weights tiny.pt"));
}

TEST_F(ReportCommand, EvalSplitsErrorsOfADetectionsFile) {
  write_file(project_ / "truth.json", R"({"images": [{"id": 1}], "categories": [
      {"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100}]})");
  write_file(project_ / "found.json",
             R"([{"image_id": 1, "category_id": 2, "bbox": [0, 0, 10, 10], "score": 0.5}])");

  const std::string output = run({"eval", "--detections", "found.json", "--annotations",
                                  "truth.json", "--errors", "--json", "e.json"});

  EXPECT_THAT(output, HasSubstr("class                +1.0000       1"));
  EXPECT_EQ(read_json(project_ / "e.json").at("errors").at("class").at("gain"), 1.0);
}

TEST_F(ReportCommand, ReadsRealModels) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";
  const fs::path root = fs::absolute(*data);
  std::string list;
  const std::string all = read_file(root / "coco/val2017.txt");
  for (std::size_t at = 0, n = 0; n < 12; ++n) {  // The first images of the list.
    const std::size_t end = all.find('\n', at);
    list += (root / "coco" / all.substr(at, end - at)).lexically_normal().string() + "\n";
    at = end + 1;
  }
  write_file(project_ / "few.txt", list);
  std::string yaml = "train: few.txt\nval: few.txt\nnames: [";
  const auto coco = read_json(root / "coco/annotations/instances_val2017.json").at("categories");
  for (const auto& category : coco) yaml += category.at("name").get<std::string>() + ", ";
  write_file(project_ / "few.yaml", yaml + "]\n");
  const std::string weights = (root / "weights/yolov5n.pt").string();

  run({"quantize", "--weights", weights, "--data", "few.yaml", "--run", "real", "--no-tuning",
       "--no-bias-correction", "--no-verify", "--batch-size", "4", "--num-calib-batch", "2"});
  run({"eval", "--weights", weights, "--model", "real/yolov5n-int8.onnx", "--data", "few.yaml",
       "--annotations", (root / "coco/annotations/instances_val2017.json").string(), "--run",
       "real", "--latency-seconds", "0.2", "--resamples", "20"});
  run({"report", "real", "--html", "real.html", "--json", "real.json"});

  EXPECT_THAT(incomplete(read_json(project_ / "real.json")),
              testing::UnorderedElementsAre("Accuracy against latency", "Speed",
                                            "Sensitivity of layers", "Training"));
  EXPECT_THAT(read_file(project_ / "real.html"), HasSubstr("data:image/jpeg;base64,"));
}

}  // namespace
}  // namespace yoloq
