// SPDX-License-Identifier: Apache-2.0
// The search as users meet it, on a model that the tests make.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using test::read_json;
using testing::AllOf;
using testing::HasSubstr;

class SearchCommand : public testing::Test {
 protected:
  /// The default alone is measured in a second; that takes some.
  test::Finished search(const std::vector<std::string>& more,
                        const std::string& time = "1s") const {
    std::vector<std::string> words{"search", "--weights", "tiny.pt", "--data", "data.yaml",
                                   "--img",  "64",        "--cache", "cache",  "--out",
                                   "found",  "--time",    time};
    words.insert(words.end(), more.begin(), more.end());
    return project_.run(words);
  }

  test::TinyProject project_{12, 3};
};

TEST_F(SearchCommand, WritesTheFrontAndWhatItChose) {
  const test::Finished finished = search({"--json", "copy.json"}, "8s");

  ASSERT_EQ(finished.status, 0) << finished.errors;
  const auto json = read_json(project_ / "found/search.json");
  EXPECT_EQ(json, read_json(project_ / "copy.json"));
  EXPECT_EQ(json.at("final_images"), 3);
  int on_front = 0;
  for (const auto& row : json.at("candidates")) {
    on_front += static_cast<int>(row.at("on_front").get<bool>());
    EXPECT_GT(row.at("latency_ms").get<double>(), 0) << row;
    if (!row.contains("file")) continue;
    const std::string file =
        (project_ / "found").string() + "/" + row.at("file").get<std::string>();
    EXPECT_TRUE(fs::exists(file)) << file;
    EXPECT_TRUE(row.contains("final_ap")) << row;
  }
  EXPECT_GE(on_front, 1);
  const test::Finished eval = project_.run(
      {"eval", "--model", "found/best.onnx", "--data", "data.yaml", "--latency-seconds", "0"});
  EXPECT_EQ(eval.status, 0) << eval.errors;
}

TEST_F(SearchCommand, GoesOnOnlyWhenAskedTo) {
  ASSERT_EQ(search({}).status, 0);
  const std::string journal = read_file(project_ / "found/journal.jsonl");

  const test::Finished again = search({});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.errors, AllOf(HasSubstr("holds a search"), HasSubstr("--resume")));
  const test::Finished resumed = search({"--resume"});
  EXPECT_EQ(resumed.status, 0) << resumed.errors;
  EXPECT_THAT(resumed.output, HasSubstr("measurements of before"));
  EXPECT_THAT(read_file(project_ / "found/journal.jsonl"), testing::StartsWith(journal));
}

TEST_F(SearchCommand, LeavesOutImagesThatDoNotDecodeWhereAsked) {
  write_file(project_ / "images/train/000000000003.png", "no image");
  write_file(project_ / "images/val/000000000014.png", "no image");

  const test::Finished refused = search({});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("images/train/000000000003.png"));

  const test::Finished finished = search({"--skip-bad"});
  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("skipped: "), HasSubstr("000000000003.png"),
                                     HasSubstr("000000000014.png")));
  EXPECT_EQ(read_json(project_ / "found/search.json").at("final_images"), 2);

  const test::Finished resumed = search({"--skip-bad", "--resume"});
  EXPECT_EQ(resumed.status, 0) << resumed.errors;
  EXPECT_THAT(resumed.output, HasSubstr("measurements of before"));
}

TEST_F(SearchCommand, DoesNotGoOnWithTheSearchOfOtherOptionsOrLabels) {
  ASSERT_EQ(search({}).status, 0);

  const test::Finished other = search({"--resume", "--target", "openvino"});
  write_file(project_ / "labels/train/000000000001.txt", "0 0.5 0.5 0.25 0.25\n");
  const test::Finished relabelled = search({"--resume"});

  for (const test::Finished& refused : {other, relabelled}) {
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.errors, HasSubstr("another model, other data or other options"));
  }
}

TEST_F(SearchCommand, KeepsTheBestWhereTheLimitCannotBeMet) {
  const test::Finished finished = search({"--max-drop", "0"});

  EXPECT_TRUE(fs::exists(project_ / "found/best.onnx")) << finished.errors;
  const auto json = read_json(project_ / "found/search.json");
  double drop = 1000;
  for (const auto& row : json.at("candidates")) {
    if (row.at("name") == json.at("chosen")) drop = row.at("drop").get<double>();
  }
  EXPECT_EQ(finished.status, drop > 0 ? 3 : 0) << finished.errors << drop;
  std::set<std::string> files;
  for (const auto& row : json.at("candidates")) {
    if (!row.contains("file")) continue;
    EXPECT_TRUE(files.insert(row.at("file")).second) << row;
  }
}

TEST_F(SearchCommand, CountsFinalImagesThatWereSearchedOn) {
  const test::Finished finished = search({"--final-split", "train"});

  EXPECT_THAT(finished.output, HasSubstr("12 of the 12 images of 'train' are in 'train' too"));
}

TEST_F(SearchCommand, RefusesWhatItCannotDo) {
  const auto refused = [&](const std::vector<std::string>& more) {
    const test::Finished finished = search(more);
    EXPECT_EQ(finished.status, 1) << testing::PrintToString(more);
    return finished.errors;
  };
  EXPECT_THAT(refused({"--max-drop", "-1"}), HasSubstr("cannot be met"));
  EXPECT_THAT(refused({"--objective", "beauty"}), HasSubstr("known: latency, throughput"));
  EXPECT_THAT(refused({"--target", "toaster"}), HasSubstr("toaster"));
  EXPECT_THAT(refused({"--split", "val"}), HasSubstr("has 3 images; a search needs 8 or more"));
  EXPECT_FALSE(fs::exists(project_ / "found/journal.jsonl"));
}

}  // namespace
}  // namespace yoloq
