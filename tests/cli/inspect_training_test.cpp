// SPDX-License-Identifier: Apache-2.0
// What is checked before training, as users meet it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

using test::read_json;
using testing::HasSubstr;
using testing::Not;

class InspectTraining : public testing::Test {
 protected:
  test::TinyProject project_{3, 2};
};

TEST_F(InspectTraining, CountsASoundDataSet) {
  const auto run = project_.run({"inspect", "--data", "data.yaml", "--json", "d.json"});

  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("data.yaml train: 3 images"));
  EXPECT_THAT(run.output, HasSubstr("0 that would stop training"));
  const auto json = read_json(project_ / "d.json");
  EXPECT_EQ(json.at("data").at("images"), 3);
  EXPECT_EQ(json.at("data").at("split"), "train");
  EXPECT_EQ(project_.run({"inspect", "--data", "data.yaml", "--split", "val"}).status, 0);
}

TEST_F(InspectTraining, ListsEveryFaultOfADataSetAndFails) {
  const auto labels = project_ / "labels/train";
  for (const auto& entry : std::filesystem::directory_iterator(labels)) {
    write_file(entry.path(), "99 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1 7\n");
  }

  const auto run = project_.run({"inspect", "--data", "data.yaml", "--json", "d.json"});

  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("6 finding(s) would stop training: those marked ERROR"));
  EXPECT_THAT(run.output, HasSubstr("ERROR bad label: "));
  int fatal = 0;
  const auto json = read_json(project_ / "d.json");
  for (const auto& found : json.at("data").at("findings")) fatal += found.at("fatal") ? 1 : 0;
  EXPECT_EQ(fatal, 6);
}

TEST_F(InspectTraining, ChecksHyperparameters) {
  write_file(project_ / "hyp.yaml", "lr0: 0.01\nmosaik: 1\n");
  write_file(project_ / "bad.yaml", "lr0: 0.01\nmosaic: 2\n");

  const auto good = project_.run({"inspect", "--hyp", "hyp.yaml", "--json", "h.json"});
  const auto bad = project_.run({"inspect", "--hyp", "bad.yaml"});

  EXPECT_EQ(good.status, 0) << good.errors;
  EXPECT_THAT(good.output, HasSubstr("unknown: hyp.yaml:2: no such hyper-parameter; was 'mosaic'"));
  EXPECT_EQ(read_json(project_ / "h.json").at("hyp").at("findings").at(0).at("key"), "mosaik");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("ERROR out of range: bad.yaml:2"));
  EXPECT_THAT(bad.output, Not(HasSubstr("unknown")));
}

TEST_F(InspectTraining, KnowsBuiltInHyperparameters) {
  const auto run = project_.run({"inspect", "--hyp", "hyp.qat.yaml", "--data", "data.yaml"});

  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("hyp.qat.yaml: 0 finding(s)"));
  EXPECT_THAT(run.output, HasSubstr("data.yaml train: 3 images"));
}

TEST_F(InspectTraining, SaysWhatItCannotDo) {
  EXPECT_THAT(project_.run({"inspect", "--hyp", "none.yaml"}).errors,
              HasSubstr("no hyper-parameters 'none.yaml': no such file, and built in are"));
  EXPECT_THAT(project_.run({"inspect", "--data", "data.yaml", "--split", "test"}).errors,
              HasSubstr("has no 'test:'"));
  const auto both = project_.run({"inspect", "--weights", "tiny.pt", "--hyp", "hyp.qat.yaml"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.errors, HasSubstr("without a model"));
}

}  // namespace
}  // namespace yoloq
