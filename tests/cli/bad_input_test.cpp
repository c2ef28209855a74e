// SPDX-License-Identifier: Apache-2.0
// What users get wrong: a clear message, the exit status, and earlier output left as it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"
#include "graph/text.h"
#include "onnx/model_file.h"

namespace yoloq {

struct BadInput {
  const char* name;
  std::vector<std::string> arguments;
  int status;
  std::vector<std::string> words;  ///< That the message must have.
};

void PrintTo(const BadInput& row, std::ostream* out) { *out << row.name; }

namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEarlier = "what an earlier run wrote";

void write_yaml(const fs::path& path, const std::string& val) {
  write_file(path, "train: images/train\nval: " + val + "\nnames: [class 0, class 1, class 2]\n");
}

/// The tiny project with one thing wrong of each kind.
class BadInputs : public testing::Test {
 protected:
  BadInputs() {
    add_data();
    add_models();
    for (const char* name : {"out.onnx", "out.engine", "out.json", "out.plan.yaml"}) {
      write_file(project_ / name, kEarlier);
    }
  }

  void expect_earlier_output() const {
    for (const char* name : {"out.onnx", "out.engine", "out.json", "out.plan.yaml"}) {
      EXPECT_EQ(read_file(project_ / name), kEarlier) << name;
    }
    const auto files = test::files_below(project_.path());
    EXPECT_THAT(files, Each(Not(HasSubstr(".tmp"))));
    EXPECT_THAT(files, Each(Not(HasSubstr(".trial"))));
  }

  test::TinyProject project_{3, 3};

 private:
  void add_data() const {
    write_yaml(project_ / "no-folder.yaml", "images/nowhere");
    write_yaml(project_ / "empty.yaml", "images/empty");
    fs::create_directories(project_ / "images/empty");
    write_yaml(project_ / "bad-image.yaml", "images/bad");
    fs::copy(project_ / "images/val", project_ / "images/bad");
    fs::copy(project_ / "labels/val", project_ / "labels/bad");
    write_file(project_ / "images/bad/000000000005.png", "this is no image");
    write_yaml(project_ / "bad-labels.yaml", "images/labels");
    fs::copy(project_ / "images/val", project_ / "images/labels");
    fs::create_directories(project_ / "labels/labels");
    write_file(project_ / "labels/labels/000000000005.txt", "0 .5 .5 .1 .1\n1 1.5 .5 .1 .1\n");
    write_file(project_ / "no-fields.json",
               R"({"images": [{"id": 4}], "categories": [{"id": 1, "name": "class 0"}],
                   "annotations": [{"id": 1, "image_id": 4, "category_id": 1}]})");
    write_file(project_ / "two.json",
               R"({"images": [{"id": 4}, {"id": 5}, {"id": 6}], "annotations": [],
                   "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]})");
    write_file(project_ / "none-found.json", "[]");
    write_file(project_ / "no-boxes-found.json",
               R"({"images": [{"id": 4}], "categories": [{"id": 1, "name": "class 0"}],
                   "annotations": [{"id": 1, "image_id": 4, "category_id": 1, "iscrowd": 0,
                                    "bbox": [1, 1, 9, 9], "area": 81}]})");
    write_file(project_ / "two-classes.yaml",
               "train: images/train\nval: images/val\nnames: [cat, dog]\n");
    write_file(project_ / "no-yaml.yaml", "train: [unclosed\n");
  }

  void add_models() const {
    const std::string checkpoint = read_file(project_ / "tiny.pt");
    write_file(project_ / "cut.pt", checkpoint.substr(0, checkpoint.size() / 2));
    write_file(project_ / "garbage.onnx", "this is no model at all, but long enough to be read");
    write_file(project_ / "garbage.engine", "neither is this");
    onnx::write_model(graph::parse(R"(
        input images float32[1,3,64,64]
        w = float32[2,3,1,1] {0.5}
        y = Conv(images, w) @conv
        return y)"),
                      project_ / "headless.onnx");
    write_file(project_ / "other.plan.yaml",
               "format: 1\ntarget: tensorrt\nprovenance: {}\nlayers:\n  - {id: 0, name: "
               "model.77.conv, precision: "
               "int8, why: "
               "default}\nactivations: []\nweights: []\n");
  }
};

class EveryBadInput : public BadInputs, public testing::WithParamInterface<BadInput> {};

TEST_P(EveryBadInput, IsNamedAndLeavesEarlierOutput) {
  const auto finished = project_.run(GetParam().arguments);

  EXPECT_EQ(finished.status, GetParam().status) << finished.errors;
  for (const std::string& word : GetParam().words) EXPECT_THAT(finished.errors, HasSubstr(word));
  expect_earlier_output();
}

/// `quantize` with little work; then the rest of the arguments.
std::vector<std::string> quantize(std::vector<std::string> more) {
  std::vector<std::string> arguments{"quantize", "--img",    "64",          "--out",   "out.onnx",
                                     "--json",   "out.json", "--no-tuning", "--cache", "cache"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> quantize_tiny(std::vector<std::string> more) {
  more.insert(more.begin(), {"--weights", "tiny.pt"});
  return quantize(std::move(more));
}

std::vector<std::string> apply_plan(const std::string& plan, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"quantize", "--weights", "tiny.pt", "--img", "64", "--out", "out.onnx",
                             "--json", "out.json", "--cache", "cache", "--plan", plan});
  return more;
}

std::vector<std::string> eval_tiny(std::vector<std::string> more) {
  more.insert(more.begin(),
              {"eval", "--weights", "tiny.pt", "--latency-seconds", "0", "--json", "out.json"});
  return more;
}

const BadInput kData[] = {
    {"MissingYaml", eval_tiny({"--img", "64", "--data", "none.yaml"}), 1, {"none.yaml"}},
    {"YamlThatIsNone", eval_tiny({"--img", "64", "--data", "no-yaml.yaml"}), 1, {"no-yaml.yaml"}},
    {"MissingFolder",
     eval_tiny({"--img", "64", "--data", "no-folder.yaml"}),
     1,
     {"images/nowhere"}},
    {"MissingFolderQuantize",
     quantize_tiny({"--data", "no-folder.yaml", "--split", "val"}),
     1,
     {"images/nowhere"}},
    {"MissingSource",
     {"detect", "--weights", "tiny.pt", "--img", "64", "--source", "nowhere", "--out", "found"},
     1,
     {"nowhere"}},
    {"EmptyFolder",
     eval_tiny({"--img", "64", "--data", "empty.yaml"}),
     1,
     {"images/empty", "no image"}},
    {"EmptyFolderQuantize",
     quantize_tiny({"--data", "empty.yaml", "--split", "val"}),
     1,
     {"images/empty", "no image"}},
    {"MissingSplit",
     eval_tiny({"--img", "64", "--data", "data.yaml", "--split", "test"}),
     1,
     {"test:"}},
    {"BadImageEval",
     eval_tiny({"--img", "64", "--data", "bad-image.yaml"}),
     1,
     {"images/bad/000000000005.png"}},
    {"BadImageQuantize",
     quantize_tiny({"--data", "bad-image.yaml", "--split", "val"}),
     1,
     {"images/bad/000000000005.png"}},
    {"BadImageDetect",
     {"detect", "--weights", "tiny.pt", "--img", "64", "--source", "images/bad", "--out", "found"},
     1,
     {"images/bad/000000000005.png"}},
    {"LabelOutOfRange",
     eval_tiny({"--img", "64", "--data", "bad-labels.yaml"}),
     1,
     {"000000000005.txt:2", "1.5"}},
    {"AnnotationsWithoutFields",
     eval_tiny({"--img", "64", "--data", "data.yaml", "--annotations", "no-fields.json"}),
     1,
     {"no-fields.json", "bbox"}},
    {"MissingAnnotations",
     eval_tiny({"--img", "64", "--data", "data.yaml", "--annotations", "none.json"}),
     1,
     {"none.json"}},
    {"OtherClasses",
     eval_tiny({"--img", "64", "--data", "two-classes.yaml", "--annotations", "two.json"}),
     1,
     {"has 3 classes, the data set 2"}},
    {"BelowTheTarget",
     {"eval", "--weights", "tiny.pt", "--img", "64", "--data", "data.yaml", "--latency-seconds",
      "0", "--min-ap", "0.99"},
     3,
     {"AP", "below", "0.99"}},
};

const BadInput kModels[] = {
    {"MissingModel", quantize({"--weights", "none.pt", "--data", "data.yaml"}), 1, {"none.pt"}},
    {"TruncatedCheckpoint",
     quantize({"--weights", "cut.pt", "--data", "data.yaml"}),
     1,
     {"cut.pt"}},
    {"TruncatedCheckpointExport",
     {"export", "--weights", "cut.pt", "--out", "out.onnx"},
     1,
     {"cut.pt"}},
    {"GarbageOnnx",
     quantize({"--model", "garbage.onnx", "--data", "data.yaml"}),
     1,
     {"garbage.onnx"}},
    {"GarbageOnnxBuild",
     {"build", "--model", "garbage.onnx", "--out", "out.engine"},
     1,
     {"garbage.onnx"}},
    {"GarbageEngine",
     {"eval", "--engine", "garbage.engine", "--data", "data.yaml"},
     1,
     {"garbage.engine"}},
    {"ModelWithoutHead",
     quantize({"--model", "headless.onnx", "--data", "data.yaml"}),
     1,
     {"headless.onnx", "head"}},
    {"UnknownKindOfFile",
     quantize({"--model", "data.yaml", "--data", "data.yaml"}),
     1,
     {"data.yaml", ".onnx"}},
    {"PlanOfAnotherModel", apply_plan("other.plan.yaml"), 1, {"model.77.conv"}},
    {"MissingPlan", apply_plan("none.plan.yaml"), 1, {"none.plan.yaml"}},
    {"PlanThatIsNone", apply_plan("data.yaml"), 1, {"data.yaml"}},
    {"PlanWithACalibrator",
     apply_plan("other.plan.yaml", {"--calibrator", "mse"}),
     2,
     {"--calibrator does not go with --plan"}},
    {"PlanWithFloatLayers",
     apply_plan("other.plan.yaml", {"--skip-layers", "model.0"}),
     2,
     {"--skip-layers does not go with --plan"}},
    {"PlanWithAReducedRange",
     apply_plan("other.plan.yaml", {"--reduce-range"}),
     2,
     {"--reduce-range does not go with --plan"}},
    {"PlanWithoutTuning",
     apply_plan("other.plan.yaml", {"--no-tuning"}),
     2,
     {"--no-tuning does not go with --plan"}},
    {"PlanWithABackend",
     apply_plan("other.plan.yaml", {"--backend", "torch"}),
     2,
     {"--backend does not go with --plan"}},
    {"PlanOfSensitivityWithATarget",
     {"sensitivity", "--weights", "tiny.pt", "--data", "data.yaml", "--plan", "other.plan.yaml",
      "--target", "openvino"},
     2,
     {"--target does not go with --plan"}},
};

const BadInput kArguments[] = {
    {"SizeThatIsNoMultiple",
     eval_tiny({"--data", "data.yaml", "--img", "641"}),
     1,
     {"641", "multiple of 32", "640"}},
    {"SizeOfZero", eval_tiny({"--data", "data.yaml", "--img", "0"}), 1, {"multiple of 32"}},
    {"UnknownCalibrator",
     quantize_tiny({"--data", "data.yaml", "--calibrator", "kl"}),
     1,
     {"'kl'", "min-max, percentile, entropy, mse"}},
    {"UnknownTarget",
     quantize_tiny({"--data", "data.yaml", "--target", "tvm"}),
     1,
     {"tvm", "tensorrt", "openvino", "onnxruntime"}},
    {"UnknownResidual",
     quantize_tiny({"--data", "data.yaml", "--residual", "two"}),
     1,
     {"two", "one", "both", "none"}},
    {"UnknownLayer",
     quantize_tiny({"--data", "data.yaml", "--skip-layers", "model.99.conv"}),
     1,
     {"model.99.conv", "model.9"}},
    {"UnknownPrecision",
     quantize_tiny({"--data", "data.yaml", "--layer-precision", "model.0.conv=int4"}),
     1,
     {"int4", "fp16"}},
    {"UnknownType",
     {"build", "--weights", "tiny.pt", "--img", "64", "--dtype", "f8", "--out", "out.engine"},
     1,
     {"f8", "bf16"}},
    {"FloatTypeWithoutInt8",
     {"build", "--weights", "tiny.pt", "--img", "64", "--float-type", "fp16", "--out",
      "out.engine"},
     2,
     {"--float-type goes with --dtype int8"}},
    {"UnknownFloatType",
     {"build", "--weights", "tiny.pt", "--img", "64", "--dtype", "int8", "--float-type", "f8",
      "--out", "out.engine"},
     1,
     {"f8", "bf16"}},
    {"UnknownBackend",
     {"build", "--weights", "tiny.pt", "--img", "64", "--backend", "tvm", "--out", "out.engine"},
     1,
     {"tvm", "openvino"}},
    {"TacticSourceWithoutSign",
     {"build", "--weights", "tiny.pt", "--img", "64", "--backend", "tensorrt", "--tactic-sources",
      "JIT_CONVOLUTIONS", "--out", "out.engine"},
     1,
     {"'JIT_CONVOLUTIONS'", "+NAME", "-NAME"}},
    {"TimingCacheOfACpu",
     {"build", "--weights", "tiny.pt", "--img", "64", "--timing-cache", "times", "--out",
      "out.engine"},
     1,
     {"'openvino'", "timing cache"}},
    {"UnknownHead",
     {"export", "--weights", "tiny.pt", "--head", "cooked", "--out", "out.onnx"},
     2,
     {"cooked", "raw", "decoded"}},
    {"OpsetOutOfRange",
     {"export", "--weights", "tiny.pt", "--opset", "12", "--out", "out.onnx"},
     2,
     {"12", "13"}},
    {"NumberThatIsNone",
     {"export", "--weights", "tiny.pt", "--batch", "many", "--out", "out.onnx"},
     2,
     {"many"}},
    {"TwoModels",
     {"build", "--weights", "tiny.pt", "--model", "headless.onnx", "--out", "out.engine"},
     2,
     {"one"}},
    {"NoBoxesAtMost",
     {"detect", "--weights", "tiny.pt", "--source", "images/val", "--max-det", "0", "--out",
      "found"},
     2,
     {"--max-det", "1"}},
    {"FewerThanNoBoxes", eval_tiny({"--data", "data.yaml", "--max-det", "-1"}), 2, {"--max-det"}},
    {"UnknownClass",
     {"detect", "--weights", "tiny.pt", "--img", "64", "--source", "images/val", "--classes", "99",
      "--out", "found"},
     1,
     {"no class 99", "from 0 to 2"}},
    {"TwoNumbersOfImages",
     quantize_tiny({"--data", "data.yaml", "--num-calib-images", "3", "--num-calib-batch", "2"}),
     2,
     {"--num-calib-images", "--num-calib-batch"}},
    {"QuantizeWithoutData", quantize_tiny({}), 2, {"--data"}},
    {"EvalWithoutData", eval_tiny({}), 2, {"--data"}},
    {"DetectionsWithAModel",
     {"eval", "--detections", "d.json", "--annotations", "two.json", "--weights", "tiny.pt",
      "--json", "out.json"},
     2,
     {"--weights does not go with --detections"}},
    {"DetectionsWithData",
     {"eval", "--detections", "d.json", "--annotations", "two.json", "--data", "data.yaml"},
     2,
     {"--data does not go with --detections"}},
    {"DetectionsBelowTheTarget",
     {"eval", "--detections", "none-found.json", "--annotations", "no-boxes-found.json", "--min-ap",
      "0.5"},
     3,
     {"none-found.json", "AP", "below", "0.5"}},
    {"DetectionsWithoutAnnotations",
     {"eval", "--detections", "d.json", "--json", "out.json"},
     2,
     {"--annotations"}},
};

const BadInput kOutputs[] = {
    {"OutputBelowAFile",
     {"export", "--weights", "tiny.pt", "--out", "tiny.pt/out.onnx"},
     1,
     {"tiny.pt"}},
    {"OutputBelowAFileQuantize",
     quantize_tiny({"--data", "data.yaml", "--save-plan", "tiny.pt/p.yaml"}),
     1,
     {"tiny.pt"}},
    {"OutputBelowAFileDetect",
     {"detect", "--weights", "tiny.pt", "--source", "images/val", "--out", "tiny.pt/found"},
     1,
     {"tiny.pt"}},
    {"OutputIsAFolder",
     {"build", "--weights", "tiny.pt", "--img", "64", "--out", "images"},
     1,
     {"images", "folder"}},
    {"JsonBelowAFile",
     {"inspect", "--weights", "tiny.pt", "--img", "64", "--json", "tiny.pt/i.json"},
     1,
     {"tiny.pt"}},
    {"OutputIsTheModel",
     {"quantize", "--model", "out.onnx", "--data", "data.yaml", "--out", "out.onnx"},
     2,
     {"out.onnx", "overwrite"}},
    {"OutputIsTheModelExport", {"export", "out.onnx", "out.onnx"}, 2, {"out.onnx", "overwrite"}},
    {"OutputIsTheModelBuild",
     {"build", "--model", "out.onnx", "--out", "out.onnx"},
     2,
     {"out.onnx", "overwrite"}},
    {"OutputIsAPlanThatIsRead",
     {"quantize", "--weights", "tiny.pt", "--plan", "out.json", "--out", "new.onnx", "--json",
      "out.json"},
     2,
     {"out.json", "overwrite"}},
    {"DrawsOverItsImages",
     {"detect", "--weights", "tiny.pt", "--img", "64", "--source", "images/val", "--out",
      "images/val"},
     2,
     {"images/val/", "overwrite"}},
    {"JsonIsTheData",
     {"eval", "--weights", "tiny.pt", "--data", "out.json", "--json", "out.json"},
     2,
     {"out.json", "overwrite"}},
    {"JsonIsTheDetections",
     {"eval", "--detections", "out.json", "--annotations", "two.json", "--json", "out.json"},
     2,
     {"out.json", "overwrite"}},
    {"CacheBelowAFile",
     {"quantize", "--weights", "tiny.pt", "--img", "64", "--data", "data.yaml", "--cache",
      "tiny.pt/cache", "--out", "out.onnx"},
     1,
     {"tiny.pt"}},
};

std::string name_of(const testing::TestParamInfo<BadInput>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(Data, EveryBadInput, testing::ValuesIn(kData), name_of);
INSTANTIATE_TEST_SUITE_P(Models, EveryBadInput, testing::ValuesIn(kModels), name_of);
INSTANTIATE_TEST_SUITE_P(Arguments, EveryBadInput, testing::ValuesIn(kArguments), name_of);
INSTANTIATE_TEST_SUITE_P(Outputs, EveryBadInput, testing::ValuesIn(kOutputs), name_of);

class SkipBad : public BadInputs, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(SkipBad, LeavesOutTheBadImageAndNamesIt) {
  const auto finished = project_.run(GetParam());

  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, HasSubstr("skipped"));
  EXPECT_THAT(finished.output, HasSubstr("images/bad/000000000005.png"));
}

INSTANTIATE_TEST_SUITE_P(
    By, SkipBad,
    testing::Values(std::vector<std::string>{"eval", "--weights", "tiny.pt", "--img", "64",
                                             "--data", "bad-image.yaml", "--latency-seconds", "0",
                                             "--skip-bad"},
                    std::vector<std::string>{"quantize", "--weights", "tiny.pt", "--img", "64",
                                             "--data", "bad-image.yaml", "--split", "val",
                                             "--cache", "cache", "--out", "new.onnx", "--skip-bad"},
                    std::vector<std::string>{"detect", "--weights", "tiny.pt", "--img", "64",
                                             "--source", "images/bad", "--out", "found",
                                             "--skip-bad"}),
    [](const auto& row) { return row.param.front(); });

TEST_F(BadInputs, AnEngineOfAnotherTypeOrRuntimeIsNotTakenForTheOneAskedFor) {
  ASSERT_EQ(
      project_.run({"build", "--weights", "tiny.pt", "--img", "64", "--out", "f.engine"}).status,
      0);
  const auto refused = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--engine", "f.engine"});
    const auto finished = project_.run(arguments);
    EXPECT_EQ(finished.status, 1) << arguments.front();
    return finished.errors;
  };

  EXPECT_THAT(refused({"bench", "--dtype", "bf16"}), HasSubstr("built as f32"));
  EXPECT_THAT(refused({"inspect", "--backend", "torch"}), HasSubstr("built for openvino"));
  EXPECT_THAT(refused({"eval", "--data", "data.yaml", "--dtype", "f16"}), HasSubstr("--dtype f16"));
  EXPECT_THAT(refused({"detect", "--source", "images/val", "--backend", "tensorrt"}),
              HasSubstr("--backend tensorrt"));
  EXPECT_EQ(
      project_.run({"inspect", "--engine", "f.engine", "--dtype", "fp32", "--backend", "openvino"})
          .status,
      0);
}

TEST_F(BadInputs, AQuantizedModelIsNotQuantizedAgain) {
  ASSERT_EQ(project_
                .run({"quantize", "--weights", "tiny.pt", "--img", "64", "--data", "data.yaml",
                      "--cache", "cache", "--no-tuning", "--out", "first.onnx"})
                .status,
            0);

  const auto finished = project_.run(quantize({"--model", "first.onnx", "--data", "data.yaml"}));

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("quantized already"));
  expect_earlier_output();
}

}  // namespace
}  // namespace yoloq
