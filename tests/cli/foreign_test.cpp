// SPDX-License-Identifier: Apache-2.0
// Files of the structure that YOLOv5's own exporters give, see tests/data/foreign.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

using test::read_json;
using testing::AllOf;
using testing::HasSubstr;

class ForeignFiles : public testing::Test {
 protected:
  ForeignFiles() {
    const auto made =
        test::run_python("tests/data/foreign/make_foreign.py", {(project_ / "models").string()});
    EXPECT_EQ(made.status, 0) << made.errors;
    expected_ = read_json(project_ / "models/expected.json");
    write_file(project_ / "data.yaml",
               "train: images/train\nval: images/val\nnames: [person, bicycle, traffic light]\n");
  }

  /// The flags for what the file does not say.
  static std::vector<std::string> flags(const nlohmann::json& row) {
    std::vector<std::string> flags;
    if (row.at("anchors").is_null()) {
      flags = {"--anchors", "10,13,16,30,33,23", "30,61,62,45,59,119", "116,90,156,198,373,326"};
    }
    if (row.at("dynamic").get<bool>()) flags.insert(flags.end(), {"--img", "64"});
    return flags;
  }

  test::Finished run(std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return project_.run(arguments);
  }

  test::TinyProject project_{3, 2};
  nlohmann::json expected_;
};

TEST_F(ForeignFiles, AreEvaluatedQuantizedAndEvaluatedAgain) {
  ASSERT_GE(expected_.size(), 10u);
  for (const auto& [name, row] : expected_.items()) {
    SCOPED_TRACE(name);
    const std::string model = "models/" + name + ".onnx";
    const auto more = flags(row);

    const auto evaluated = run({"eval", "--model", model, "--data", "data.yaml",
                                "--latency-seconds", "0", "--json", "f.json"},
                               more);
    const auto quantized =
        run({"quantize", "--model", model, "--data", "data.yaml", "--cache", "", "--no-tuning",
             "--no-bias-correction", "--reduce-range", "--out", "q.onnx", "--json", "q.json"},
            more);
    const auto again = run({"eval", "--model", "q.onnx", "--data", "data.yaml", "--latency-seconds",
                            "0", "--json", "i.json"},
                           more);

    ASSERT_EQ(evaluated.status, 0) << evaluated.errors;
    ASSERT_EQ(quantized.status, 0) << quantized.errors;
    ASSERT_EQ(again.status, 0) << again.errors;
    EXPECT_EQ(read_json(project_ / "f.json").at("layers_int8"), 0);
    const auto json = read_json(project_ / "i.json");
    EXPECT_EQ(json.at("layers_int8"), json.at("layers_total"));
    EXPECT_EQ(json.at("layers_int8"), read_json(project_ / "q.json").at("layers_int8"));
  }
}

TEST_F(ForeignFiles, OfOneBackboneDetectTheSame) {
  std::map<std::string, nlohmann::json> boxes;  // By backbone.
  for (const auto& [name, row] : expected_.items()) {
    SCOPED_TRACE(name);
    const auto finished =
        run({"detect", "--model", "models/" + name + ".onnx", "--data", "data.yaml", "--source",
             "images/val", "--no-draw", "--out", "found"},
            flags(row));
    ASSERT_EQ(finished.status, 0) << finished.errors;
    const auto found = read_json(project_ / "found/detections.json");
    std::size_t count = 0;
    for (const auto& image : found) count += image.at("boxes").size();
    const auto [first, is_new] = boxes.try_emplace(row.at("backbone").get<std::string>(), count);
    EXPECT_EQ(first->second, count);
    EXPECT_GT(count, 0u);
  }
}

TEST_F(ForeignFiles, AskByNameForWhatTheyDoNotSay) {
  const auto anchors = project_.run({"eval", "--model", "models/v6.0-train.onnx", "--data",
                                     "data.yaml", "--latency-seconds", "0"});
  const auto names = project_.run(
      {"detect", "--model", "models/v6.0.onnx", "--source", "images/val", "--out", "found"});

  EXPECT_EQ(anchors.status, 1);
  EXPECT_THAT(anchors.errors, AllOf(HasSubstr("v6.0-train.onnx"), HasSubstr("anchors")));
  EXPECT_EQ(names.status, 1);
  EXPECT_THAT(names.errors, AllOf(HasSubstr("v6.0.onnx"), HasSubstr("names")));
}

}  // namespace
}  // namespace yoloq
