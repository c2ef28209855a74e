// SPDX-License-Identifier: Apache-2.0
// Sensitivities and partial quantization as users meet them, on a model that the tests make.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using test::read_json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class SensitivityCommand : public testing::Test {
 protected:
  static std::vector<std::string> words(std::vector<std::string> first,
                                        const std::vector<std::string>& more) {
    first.insert(first.end(), {"--weights", "tiny.pt", "--data", "data.yaml", "--img", "64",
                               "--cache", "cache", "--batch-size", "2", "--num-calib-batch", "2"});
    first.insert(first.end(), more.begin(), more.end());
    return first;
  }

  test::Finished measure(const std::vector<std::string>& more) const {
    return project_.run(words({"sensitivity", "--images", "3"}, more));
  }

  test::Finished quantize_on(int search_images, const std::vector<std::string>& more) const {
    return project_.run(
        words({"quantize", "--no-tuning", "--no-bias-correction", "--no-verify", "--json", "q.json",
               "--out", "a.onnx", "--search-images", std::to_string(search_images)},
              more));
  }

  test::Finished quantize(const std::vector<std::string>& more) const {
    return quantize_on(3, more);
  }

  std::vector<std::string> float_layers() const {
    EXPECT_EQ(
        project_.run({"inspect", "--model", "a.onnx", "--quantization", "--json", "i.json"}).status,
        0);
    std::vector<std::string> names;
    const auto json = read_json(project_ / "i.json");
    for (const auto& row : json.at("quantization")) {
      if (!row.at("int8").get<bool>()) names.push_back(row.at("name"));
    }
    return names;
  }

  test::TinyProject project_{4, 3};
};

class EveryMethod : public SensitivityCommand, public testing::WithParamInterface<std::string> {};

TEST_P(EveryMethod, ListsAllLayersMostSensitiveFirst) {
  const auto finished = measure({"--method", GetParam(), "--out", "s.json", "--json", "facts.json",
                                 "--draws", "3", "--group", "9"});

  ASSERT_EQ(finished.status, 0) << finished.errors;
  const auto json = read_json(project_ / "s.json");
  EXPECT_EQ(json.at("method"), GetParam());
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("images"), 3);
  std::vector<double> costs;
  for (const auto& row : json.at("layers")) costs.push_back(row.at("cost"));
  EXPECT_GE(costs.size(), 20u);
  EXPECT_TRUE(std::ranges::is_sorted(costs, std::ranges::greater{}));
  const std::string first = json.at("layers").front().at("name");
  const std::string last = json.at("layers").back().at("name");
  EXPECT_LT(finished.output.find("\n" + first + " "), finished.output.find("\n" + last + " "));
  EXPECT_GT(read_json(project_ / "facts.json").at("peak_mib"), 0);
  EXPECT_FALSE(fs::exists(project_ / "s.json.partial"));

  const std::string text = test::measured_text(project_ / "s.json");
  ASSERT_EQ(measure({"--method", GetParam(), "--out", "s.json", "--draws", "3"}).status, 0);
  EXPECT_EQ(test::measured_text(project_ / "s.json"), text);
}

TEST_P(EveryMethod, LeavesOutImagesThatDoNotDecodeWhereAsked) {
  write_file(project_ / "images/train/000000000002.png", "no image");
  const auto measure_all = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--method", GetParam(), "--out", "s.json"});
    return project_.run(words({"sensitivity", "--images", "4"}, more));
  };

  const auto refused = measure_all({});
  const auto finished = measure_all({"--skip-bad", "--json", "facts.json"});

  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("images/train/000000000002.png"));
  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output,
              AllOf(HasSubstr("skipped: "), HasSubstr("images/train/000000000002.png")));
  EXPECT_EQ(read_json(project_ / "s.json").at("images"), 3);
  EXPECT_THAT(read_json(project_ / "facts.json").at("skipped"), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Of, EveryMethod, testing::Values("fast", "sqnr", "map"),
                         [](const auto& row) { return row.param; });

TEST_F(SensitivityCommand, TheFileSaysWhichCommandMadeIt) {
  ASSERT_EQ(measure({"--out", "s.json"}).status, 0);

  const auto provenance = read_json(project_ / "s.json").at("provenance");

  EXPECT_THAT(provenance.at("command").get<std::string>(),
              AllOf(HasSubstr("yoloq sensitivity --images 3"), HasSubstr("--out s.json")));
  EXPECT_THAT(provenance.at("date").get<std::string>(), testing::MatchesRegex("20..-.*T.*Z"));
  EXPECT_THAT(provenance.at("tool").get<std::string>(), HasSubstr("yoloq "));
  EXPECT_GT(provenance.at("machine").at("threads"), 0);
}

TEST_F(SensitivityCommand, ComparesTwoFiles) {
  ASSERT_EQ(measure({"--method", "sqnr", "--out", "a.json"}).status, 0);
  ASSERT_EQ(measure({"--method", "fast", "--out", "b.json"}).status, 0);

  const auto finished =
      project_.run({"sensitivity", "--compare", "a.json", "b.json", "--json", "c.json"});

  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("'sqnr' against 'fast'"), HasSubstr("Spearman")));
  const auto json = read_json(project_ / "c.json");
  EXPECT_GT(json.at("all").at("spearman"), 0.3);
  EXPECT_LE(json.at("all").at("low"), json.at("all").at("spearman"));
  EXPECT_THAT(json.at("top"), SizeIs(4));
}

TEST_F(SensitivityCommand, ProfilesAnEditedPlan) {
  ASSERT_EQ(quantize({"--skip-layers", "model.1.conv"}).status, 0);

  ASSERT_EQ(measure({"--plan", "a.plan.yaml", "--out", "s.json"}).status, 0);

  const auto json = read_json(project_ / "s.json");
  EXPECT_GE(json.at("layers").size(), 20u);
  for (const auto& row : json.at("layers")) EXPECT_NE(row.at("name"), "model.1.conv");
}

TEST_F(SensitivityCommand, AutoNKeepsTheNMostSensitiveOfAFile) {
  ASSERT_EQ(measure({"--out", "s.json"}).status, 0);
  const auto rows = read_json(project_ / "s.json").at("layers");

  const auto finished = quantize({"--skip-layers", "auto:2", "--sensitivity", "s.json"});

  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(float_layers(), testing::UnorderedElementsAre(rows[0].at("name").get<std::string>(),
                                                            rows[1].at("name").get<std::string>()));
}

TEST_F(SensitivityCommand, AutoNMeasuresWhereThereIsNoFile) {
  const auto finished = quantize({"--skip-layers", "auto:1,model.14.m.0"});

  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, HasSubstr("most sensitive layers, kept in float: "));
  EXPECT_THAT(float_layers(), testing::Contains("model.14.m.0"));
  EXPECT_LE(float_layers().size(), 2u);
}

TEST_F(SensitivityCommand, AutoLeavesAllInInt8WhereThatIsGoodEnough) {
  project_.label_with_model();

  const auto finished = quantize({"--skip-layers", "auto", "--max-drop", "100"});

  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(float_layers(), IsEmpty());
  const auto partial = read_json(project_ / "q.json").at("partial");
  EXPECT_EQ(partial.at("met"), true);
  EXPECT_THAT(partial.at("steps"), SizeIs(1));
}

TEST_F(SensitivityCommand, AutoEndsWithTheBestAndStatus3WhereTheLimitCannotBeMet) {
  project_.label_with_model();
  ASSERT_EQ(quantize({"--skip-layers", "auto", "--max-drop", "100"}).status, 0);
  const double all_int8 = read_json(project_ / "q.json").at("partial").at("search_drop");
  ASSERT_GT(all_int8, 0);

  const auto finished = quantize({"--skip-layers", "auto", "--max-drop", "0"});

  const auto partial = read_json(project_ / "q.json").at("partial");
  EXPECT_LE(partial.at("search_drop"), all_int8);
  EXPECT_EQ(float_layers().size(), partial.at("float_layers").size());
  EXPECT_EQ(finished.status, partial.at("met").get<bool>() ? 0 : 3);
  EXPECT_EQ(finished.errors.find("none of the first") != std::string::npos, finished.status == 3);
  for (const auto& step : partial.at("steps")) {
    EXPECT_GE(step.at("drop"), partial.at("search_drop"));
  }
}

TEST_F(SensitivityCommand, AutoCountsSearchImagesThatAreInTheValSplit) {
  write_file(project_ / "data.yaml",
             "train: images/train\nval: images\nnames: [class 0, class 1, class 2]\n");

  const auto finished = quantize({"--skip-layers", "auto", "--max-drop", "100"});

  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, HasSubstr("3 of the 3 search images are in the val split"));
}

TEST_F(SensitivityCommand, AutoLeavesOutSearchImagesThatDoNotDecode) {
  write_file(project_ / "images/train/000000000002.png", "no image");
  const std::vector<std::string> until_drop{"--skip-layers", "auto",    "--max-drop",
                                            "100",           "--split", "train"};
  std::vector<std::string> skipping = until_drop;
  skipping.emplace_back("--skip-bad");

  EXPECT_EQ(quantize_on(4, until_drop).status, 1);
  const auto finished = quantize_on(4, skipping);

  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("skipped of the search images: "),
                                     HasSubstr("images/train/000000000002.png")));
}

TEST_F(SensitivityCommand, WithoutAnObjectToFindSaysSo) {
  for (const auto& entry : fs::recursive_directory_iterator(project_ / "labels")) {
    if (entry.is_regular_file()) write_file(entry.path(), "");
  }

  for (const auto& finished : {quantize({"--skip-layers", "auto", "--max-drop", "1"}),
                               measure({"--method", "map", "--out", "s.json"})}) {
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.errors, HasSubstr("labelled object"));
  }
  EXPECT_FALSE(fs::exists(project_ / "a.onnx"));
  EXPECT_FALSE(fs::exists(project_ / "s.json"));
}

TEST_F(SensitivityCommand, RefusesTheFileOfAnotherModel) {
  ASSERT_EQ(measure({"--out", "s.json"}).status, 0);
  test::write_checkpoint(test::tiny_model({.seed = 2}), project_ / "tiny.pt");

  for (const std::string how : {"auto:1", "auto"}) {
    std::vector<std::string> more{"--skip-layers", how, "--sensitivity", "s.json"};
    if (how == "auto") more.insert(more.end(), {"--max-drop", "1"});
    const auto finished = quantize(more);
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.errors, HasSubstr("another model"));
  }
}

struct WrongAuto {
  const char* name;
  std::vector<std::string> arguments;
  int status;
  std::string words;
};

void PrintTo(const WrongAuto& row, std::ostream* out) { *out << row.name; }

class EveryWrongAuto : public SensitivityCommand, public testing::WithParamInterface<WrongAuto> {};

TEST_P(EveryWrongAuto, IsRefusedWithTheReason) {
  const auto finished = quantize(GetParam().arguments);

  EXPECT_EQ(finished.status, GetParam().status);
  EXPECT_THAT(finished.errors, HasSubstr(GetParam().words));
  EXPECT_FALSE(fs::exists(project_ / "a.onnx"));
}

const WrongAuto kWrong[] = {
    {"NegativeDrop", {"--skip-layers", "auto", "--max-drop", "-0.1"}, 1, "0 or more"},
    {"NoDrop", {"--skip-layers", "auto"}, 2, "--max-drop"},
    {"DropForNothing", {"--max-drop", "1"}, 2, "--skip-layers auto"},
    {"FileForNothing", {"--sensitivity", "s.json"}, 2, "--skip-layers auto"},
    {"NoNumber", {"--skip-layers", "auto:few"}, 2, "auto:few"},
    {"Zero", {"--skip-layers", "auto:0"}, 2, "auto:0"},
    {"Both", {"--skip-layers", "auto,auto:2", "--max-drop", "1"}, 2, "one of them"},
    {"Plan", {"--skip-layers", "auto:2", "--plan", "p.yaml"}, 2, "--plan"},
    {"NoFile", {"--skip-layers", "auto:2", "--sensitivity", "none.json"}, 1, "none.json"},
    {"FileThatIsNone", {"--skip-layers", "auto:2", "--sensitivity", "data.yaml"}, 1, "data.yaml"},
};

INSTANTIATE_TEST_SUITE_P(Of, EveryWrongAuto, testing::ValuesIn(kWrong),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace yoloq
