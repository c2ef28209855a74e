// SPDX-License-Identifier: Apache-2.0
// Real weights on real images; skipped where they are not.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "cli/yoloq_program.h"
#include "core/file.h"
#include "graph/execute.h"
#include "pipeline/model.h"
#include "runtime/literal_float.h"
#include "runtime/verify.h"
#include "support/npz.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using test::read_json;

/// What Ultralytics' own Python and pycocotools measure on the same 340 images.
constexpr double kAp = 0.2851;
constexpr double kAp50 = 0.4428;
constexpr double kApTolerance = 0.0005;

class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = test::data_folder();
    if (!data) GTEST_SKIP() << test::kNoData;
    data_ = fs::absolute(*data);
  }

  /// Runs a command that must succeed.
  std::string run(const std::vector<std::string>& arguments) const {
    const auto finished = test::yoloq_in(folder_.path(), arguments);
    EXPECT_EQ(finished.status, 0) << arguments.front() << ": " << finished.errors;
    return finished.output;
  }

  std::string weights(const std::string& name) const {
    return (data_ / "weights" / (name + ".pt")).string();
  }
  std::string coco() const { return (data_ / "coco/coco.yaml").string(); }

  test::TemporaryFolder folder_;
  fs::path data_;
};

TEST_F(RealData, CheckpointAndExportedFileReachTheReferenceAp) {
  run({"export", "--weights", weights("yolov5n"), "--out", "exported.onnx"});

  run({"eval", "--weights", weights("yolov5n"), "--model", "exported.onnx", "--data", coco(),
       "--latency-seconds", "0", "--json", "eval.json"});

  const auto json = read_json(folder_ / "eval.json");
  ASSERT_EQ(json.at("models").size(), 2u);
  for (const auto& model : json.at("models")) {
    EXPECT_EQ(model.at("images"), 340);
    EXPECT_NEAR(model.at("AP").get<double>(), kAp, kApTolerance) << model.at("model");
    EXPECT_NEAR(model.at("AP50").get<double>(), kAp50, kApTolerance) << model.at("model");
  }
}

/// A letterboxed image of `size` as engines take it.
Tensor letterboxed(const fs::path& path, vision::Size size) {
  std::vector<float> canvas(3 * static_cast<std::size_t>(size.width * size.height));
  vision::letterbox_into(std::span<float>(canvas), vision::read_image(path), {.size = size});
  return Tensor::of({1, 3, size.height, size.width}, canvas);
}

/// What ONNX Runtime computes from a file as it stands, in the order of its outputs.
std::vector<Tensor> run_in_onnxruntime(const fs::path& folder, const fs::path& model,
                                       const Tensor& image) {
  const auto bytes = image.bytes();
  write_file(folder / "image.raw", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const Shape& shape = image.shape();
  const auto finished =
      test::run_python("tests/runtime/run_onnx.py",
                       {model.string(), (folder / "out.npz").string(),
                        fmt::format("images:{},{},{},{}:{}", shape[0], shape[1], shape[2], shape[3],
                                    (folder / "image.raw").string())});
  EXPECT_EQ(finished.status, 0) << finished.errors;
  const auto arrays = test::read_npz(folder / "out.npz");
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < arrays.size(); ++i) outputs.push_back(arrays.at(std::to_string(i)));
  return outputs;
}

/// Two runtimes add up in different orders, so that a few of the millions of codes round the other
/// way, each by one step; what is left after sixty layers is far below the 20 dB or so that
/// quantization itself costs this model. A wrong scale, zero point or axis anywhere gives less than
/// that.
constexpr double kSameArithmetic = 28.0;

TEST_F(RealData, AQuantizedFileIsValidAndMeansTheSameToOnnxRuntime) {
  run({"export", "--weights", weights("yolov5n"), "--img", "320", "--out", "f.onnx"});
  run({"quantize", "--model", "f.onnx", "--data", coco(), "--batch-size", "4", "--num-calib-batch",
       "4", "--tuning-images", "4", "--cache", "cache", "--out", "q.onnx"});

  const auto checked = test::run_python(
      "tests/cli/check_models.py", {(folder_ / "f.onnx").string(), (folder_ / "q.onnx").string()});
  EXPECT_EQ(checked.status, 0) << checked.errors;
  const auto model = pipeline::load_model(folder_ / "q.onnx");
  const Tensor image = letterboxed(data_ / "coco/images/val2017/000000000139.jpg", model.size);
  const auto expected = run_in_onnxruntime(folder_.path(), folder_ / "q.onnx", image);
  const auto engine = runtime::compile(model.fixed);
  const auto literal = runtime::compile(runtime::literal_float(model.fixed));
  const auto of_engine = runtime::run(*engine, {{image}});
  const auto of_literal = runtime::run(*literal, {{image}});
  ASSERT_EQ(expected.size(), 3u);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto reference = expected[i].to_floats();
    EXPECT_GE(runtime::sqnr_db(reference, of_literal[i].to_floats()), kSameArithmetic) << i;
    EXPECT_GE(runtime::sqnr_db(reference, of_engine[i].to_floats()), kSameArithmetic) << i;
  }
}

/// Rounding to float16 moves a value by 2^-11 of itself at most, 1/16 of a step where the code is
/// 127: now and then a code goes the other way, and changes the values behind it. Two such networks
/// drift apart until they differ about as much as each does from the float model, and no further:
/// 31 dB for the fine head of this model at 640. A wrong scale or type anywhere gives less than 20.
constexpr double kSameInHalf = 26.0;

TEST_F(RealData, AFloatPartInFloat16IsValidAndMeansTheSame) {
  run({"export", "--weights", weights("yolov5n"), "--img", "160", "--out", "f.onnx"});
  for (const std::string type : {"fp32", "fp16"}) {
    run({"quantize",
         "--model",
         "f.onnx",
         "--data",
         coco(),
         "--batch-size",
         "4",
         "--num-calib-batch",
         "2",
         "--tuning-images",
         "4",
         "--cache",
         "cache",
         "--no-verify",
         "--float-type",
         type,
         "--out",
         type + ".onnx",
         "--json",
         type + ".json"});
  }

  const auto checked =
      test::run_python("tests/cli/check_models.py", {(folder_ / "fp16.onnx").string()});
  EXPECT_EQ(checked.status, 0) << checked.errors;
  EXPECT_TRUE(read_json(folder_ / "fp16.json").at("fp32_layers").empty());
  const auto single = pipeline::load_model(folder_ / "fp32.onnx");
  const auto half = pipeline::load_model(folder_ / "fp16.onnx");
  const Tensor image = letterboxed(data_ / "coco/images/val2017/000000000139.jpg", half.size);
  const auto& name = half.fixed.inputs.front().name;
  const auto expected = graph::execute(single.fixed, {{name, image}});
  const auto exact = graph::execute(half.fixed, {{name, image}});  // Rounds after each node.
  const auto of_ort = run_in_onnxruntime(folder_.path(), folder_ / "fp16.onnx", image);
  ASSERT_EQ(of_ort.size(), 3u);
  for (std::size_t i = 0; i < of_ort.size(); ++i) {
    const std::string& output = half.fixed.outputs[i].name;
    const auto reference = expected.at(output).to_floats();
    EXPECT_GE(runtime::sqnr_db(reference, exact.at(output).to_floats()), kSameInHalf) << output;
    EXPECT_GE(runtime::sqnr_db(reference, of_ort[i].to_floats()), kSameInHalf) << output;
  }
}

struct OtherCheckpoint {
  const char* name;
  int classes;
};

void PrintTo(const OtherCheckpoint& row, std::ostream* out) { *out << row.name; }

class EveryCheckpoint : public RealData, public testing::WithParamInterface<OtherCheckpoint> {
 protected:
  /// A data set with the checkpoint's own classes: a few images, each with one box.
  void write_data_set() const {
    const std::string names =
        run({"inspect", "--weights", weights(GetParam().name), "--names-yaml"});
    write_file(folder_ / "data.yaml", "train: images\nval: images\n" + names);
    fs::create_directories(folder_ / "images");
    fs::create_directories(folder_ / "labels");
    int count = 0;
    for (const auto& entry : fs::directory_iterator(data_ / "coco/images/train2017")) {
      if (++count > 4) break;
      fs::copy(entry.path(), folder_ / "images" / entry.path().filename());
      const fs::path label = entry.path().filename().replace_extension(".txt");
      write_file(folder_ / "labels" / label, "0 0.5 0.5 0.4 0.4\n");
    }
  }
};

TEST_P(EveryCheckpoint, IsExportedQuantizedEvaluatedAndDetects) {
  write_data_set();

  run({"export", "--weights", weights(GetParam().name), "--img", "320", "--out", "f.onnx"});
  run({"quantize", "--weights", weights(GetParam().name), "--img", "320", "--data", "data.yaml",
       "--batch-size", "2", "--num-calib-batch", "2", "--tuning-images", "2", "--cache", "cache",
       "--out", "q.onnx", "--json", "q.json"});
  run({"eval", "--weights", weights(GetParam().name), "--model", "f.onnx", "--model", "q.onnx",
       "--img", "320", "--data", "data.yaml", "--latency-seconds", "0", "--json", "eval.json"});
  run({"detect", "--model", "q.onnx", "--source", "images", "--out", "found"});

  const auto quantized = read_json(folder_ / "q.json");
  EXPECT_EQ(quantized.at("layers_int8"), quantized.at("layers_total"));
  const auto models = read_json(folder_ / "eval.json").at("models");
  ASSERT_EQ(models.size(), 3u);
  EXPECT_EQ(models[0].at("classes").size(), static_cast<std::size_t>(GetParam().classes));
  EXPECT_NEAR(models[0].at("AP").get<double>(), models[1].at("AP").get<double>(), 1e-3);
  EXPECT_EQ(models[2].at("layers_int8"), test::int8_layers_here(quantized.at("layers_int8")));
  EXPECT_EQ(read_json(folder_ / "found/detections.json").size(), 4u);
}

constexpr OtherCheckpoint kCheckpoints[] = {
    {"yolov5n-ppe", 2}, {"yolov5n-duckietown", 4}, {"yolov5s-v5.0-random", 80}};

INSTANTIATE_TEST_SUITE_P(Of, EveryCheckpoint, testing::ValuesIn(kCheckpoints), [](const auto& row) {
  std::string name = row.param.name;
  std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
  return name;
});

}  // namespace
}  // namespace yoloq
