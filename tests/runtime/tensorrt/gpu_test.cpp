// SPDX-License-Identifier: Apache-2.0
// TensorRT itself, on a GPU: what its engines compute. Builds are of small models, as they take
// long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "onnx/model_file.h"
#include "pipeline/detector.h"
#include "pipeline/quantization.h"
#include "runtime/engine.h"
#include "runtime/measure.h"
#include "runtime/oracle.h"
#include "runtime/tensorrt/stand_in.h"
#include "runtime/verify.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

/// float32 sums of up to a few thousand products in another order, through 60 layers.
constexpr double kFloatTolerance = 1e-3;

/// The same kernels on another batch: sums may be split in another way.
constexpr double kBatchTolerance = 1e-5;

/// Skips with the reason where TensorRT, a driver or a GPU is missing.
class TensorRtOnGpu : public testing::Test {
 protected:
  void SetUp() override {
    try {
      identity("tensorrt");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      GTEST_SKIP() << error.what();
    }
  }

  test::Source tiny() const { return test::source_named("tiny", folder_.path()); }

  /// Batches of 1, 2 or 4 images.
  std::shared_ptr<Engine> build_open() const {
    const auto model =
        pipeline::load_model(tiny().checkpoint, {.size = test::kSize, .dynamic = true});
    const ShapeProfile shapes{.least = shape(1), .best = shape(2), .most = shape(4)};
    return compile(model.graph, {.backend = "tensorrt", .gpu = {.shapes = shapes}});
  }

  static Shape shape(std::int64_t batch) {
    return {batch, 3, test::kSize.height, test::kSize.width};
  }

  test::TemporaryFolder folder_;
};

/// Image `index` of a batch of float32, as a batch of one.
Tensor image_of(const Tensor& batch, std::int64_t index) {
  Shape shape = batch.shape();
  const auto values = batch.values<float>();
  const std::size_t length = values.size() / static_cast<std::size_t>(shape.front());
  shape.front() = 1;
  return Tensor::of(shape, values.subspan(static_cast<std::size_t>(index) * length, length));
}

TEST_F(TensorRtOnGpu, ComputesFloatHeadsAsOpenVinoDoes) {
  if (!test::data_folder()) GTEST_SKIP() << test::kNoData;
  const auto source = test::source_named("yolov5n", folder_.path());
  const auto graph = pipeline::load_model(source.checkpoint, {.size = test::kSize}).fixed;
  const auto reference = compile(graph, {.mode = Mode::latency});
  const auto inputs = random_inputs(*reference);
  const auto expected = run(*reference, inputs);

  const auto outputs = run(*compile(graph, {.backend = "tensorrt"}), inputs);

  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_LT(test::relative_difference(expected[i], outputs[i]), kFloatTolerance) << i;
  }
}

TEST_F(TensorRtOnGpu, RunsAQuantizedFileInInt8AndPassesVerification) {
  const auto [graph, int8_layers] = test::quantize(tiny(), {});
  onnx::write_model(graph, folder_ / "int8.onnx");

  const auto loaded = pipeline::load_detector(folder_ / "int8.onnx", {}, {.backend = "tensorrt"});

  EXPECT_EQ(loaded.layers.int8, int8_layers);
  EXPECT_EQ(loaded.layers.total, int8_layers);
  ASSERT_TRUE(loaded.model);
  const auto checks =
      pipeline::verify_engine(*loaded.detector.engine, *loaded.model, tiny().images);
  EXPECT_EQ(checks.size(), 3u);
}

TEST_F(TensorRtOnGpu, RefusesAFileOfUint8Codes) {
  const auto graph = test::quantize(tiny(), {.target = "openvino"}).graph;

  EXPECT_THROW(compile(graph, {.backend = "tensorrt"}), Error);
}

TEST_F(TensorRtOnGpu, ComputesABatchAsItsImagesOneByOne) {
  const auto engine = build_open();

  for (const std::int64_t batch : {3, 6}) {  // Within the profile, and in pieces of 4 and 2.
    const auto inputs = random_inputs(*engine, {{shape(batch)}});
    const auto together = run(*engine, inputs);
    for (std::int64_t i = 0; i < batch; ++i) {
      const auto alone = run(*engine, {{image_of(inputs[0], i)}});
      for (std::size_t head = 0; head < alone.size(); ++head) {
        EXPECT_LT(test::relative_difference(alone[head], image_of(together[head], i)),
                  kBatchTolerance)
            << "image " << i << " of " << batch << ", head " << head;
      }
    }
  }
}

TEST_F(TensorRtOnGpu, ReadsBackWhatItSavedAndNoCutFile) {
  const auto engine = build_open();
  const auto inputs = random_inputs(*engine, {{shape(2)}});
  engine->save(folder_ / "tiny.engine");

  const auto loaded = load(folder_ / "tiny.engine");

  EXPECT_EQ(run(*loaded, inputs), run(*engine, inputs));
  EXPECT_EQ(loaded->metadata(), engine->metadata());
  EXPECT_EQ(loaded->description(), engine->description());

  const std::string bytes = read_file(folder_ / "tiny.engine");
  write_file(folder_ / "cut.engine", std::string_view(bytes).substr(0, bytes.size() - 1));
  try {
    load(folder_ / "cut.engine");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
  }
}

/// A wrong scale leaves noise as strong as the signal: 0 dB. Entropy clips this noise, which has no
/// rare values, on purpose: 9.9 dB were seen.
constexpr double kLeastDecibel = 5;

/// Implicit INT8, which TensorRT has up to version 10.
class NativePtqOnGpu : public TensorRtOnGpu, public testing::WithParamInterface<const char*> {};

TEST_P(NativePtqOnGpu, RunsConvolutionsInInt8CloseToTheFloatModel) {
  const auto model = pipeline::load_model(tiny().checkpoint, {.size = test::kSize});
  const auto reference = compile(model.fixed, {.mode = Mode::latency});
  constexpr int kBatches = 8;
  int batches = 0;
  const auto next_batch = [&](std::span<float> values) {
    if (batches == kBatches) return false;
    const auto seed = static_cast<std::uint32_t>(batches++);
    std::ranges::copy(random_inputs(*reference, {}, seed)[0].values<float>(), values.begin());
    return true;
  };
  const EngineOptions options{
      .backend = "tensorrt",
      .gpu = {.native_ptq = NativePtq{.method = GetParam(),
                                      .batch = shape(1),
                                      .next_batch = next_batch,
                                      .cache = folder_ / "calibration.cache"}}};

  std::shared_ptr<Engine> engine;
  try {
    engine = compile(model.fixed, options);
  } catch (const Error& error) {
    const std::string what = error.what();
    const bool no_kernel = what.find("calibrate in another way") != std::string::npos;
    const bool legacy = GetParam() == std::string("entropy-legacy") ||
                        GetParam() == std::string("percentile");  // 8.5.3 refuses their ranges.
    if (error.code() != ErrorCode::unsupported && !(legacy && no_kernel)) throw;
    GTEST_SKIP() << what;
  }

  EXPECT_EQ(batches, kBatches);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "calibration.cache"));
  EXPECT_GT(pipeline::executed_layers(*engine).int8, 0);
  const std::vector<Inputs> samples{random_inputs(*reference)};
  for (const double decibel : sqnr_db(*reference, *engine, samples)) {
    EXPECT_GT(decibel, kLeastDecibel);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, NativePtqOnGpu,
                         testing::Values("minmax", "entropy", "entropy-legacy", "percentile"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_F(TensorRtOnGpu, RepeatsARecordedRunWithNewInputs) {
  const auto model = pipeline::load_model(tiny().checkpoint, {.size = test::kSize});
  const auto plain = compile(model.fixed, {.backend = "tensorrt"});
  plain->save(folder_ / "tiny.engine");
  const auto recorded = load(folder_ / "tiny.engine", {.gpu = {.cuda_graph = true}});
  const auto request = recorded->make_request();

  for (const std::uint32_t seed : {1, 2, 3}) {
    const std::vector<Tensor> inputs{test::random_tensor(shape(1), seed)};
    const auto expected = run(*plain, inputs);
    fill(*request, inputs);
    request->run();

    const auto values = request->output(0).values<float>();
    EXPECT_TRUE(std::ranges::equal(values, expected[0].values<float>())) << seed;
  }
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
