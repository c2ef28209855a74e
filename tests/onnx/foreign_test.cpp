// SPDX-License-Identifier: Apache-2.0
// Small models of the structure that YOLOv5's exporters give, see tests/data/foreign.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "onnx/model_file.h"
#include "onnx/upgrade.h"
#include "support/data.h"

namespace yoloq::onnx {
namespace {

namespace fs = std::filesystem;

const fs::path& foreign_models() {
  static const test::TemporaryFolder folder;
  static const fs::path path = [] {
    const auto made =
        test::run_python("tests/data/foreign/make_foreign.py", {(folder / "models").string()});
    EXPECT_EQ(made.status, 0) << made.errors;
    return folder / "models";
  }();
  return path;
}

std::vector<fs::path> model_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(foreign_models())) {
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  }
  return files;
}

TEST(ForeignModels, AreWhatTheyAreSaidToBe) {
  const auto checked =
      test::run_python("tests/data/foreign/check_foreign.py", {foreign_models().string()});

  EXPECT_EQ(checked.status, 0) << checked.errors;
}

TEST(ForeignModels, SurviveReadingAndWriting) {
  const test::TemporaryFolder folder;
  for (const fs::path& file : model_files()) {
    write_model(read_model(file), folder / file.filename());
  }

  const auto compared = test::run_python("tests/onnx/compare_models.py",
                                         {foreign_models().string(), folder.path().string()});

  EXPECT_EQ(compared.status, 0) << compared.errors;
}

class UpgradedForeignModels : public testing::TestWithParam<int> {};

TEST_P(UpgradedForeignModels, ComputeTheSame) {
  const test::TemporaryFolder folder;
  for (const fs::path& file : model_files()) {
    graph::Graph graph = read_model(file);
    upgrade_opset(graph, GetParam());
    write_model(graph, folder / file.filename());
  }

  const auto compared = test::run_python(
      "tests/onnx/compare_outputs.py",
      {foreign_models().string(), folder.path().string(), std::to_string(GetParam())});

  EXPECT_EQ(compared.status, 0) << compared.errors;
}

INSTANTIATE_TEST_SUITE_P(Opsets, UpgradedForeignModels, testing::Values(13, 19),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace yoloq::onnx
