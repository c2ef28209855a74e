// SPDX-License-Identifier: Apache-2.0
// Native calibration: what TensorRT up to 10 is fed, against a fake of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/fake_tensorrt.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Two batches of an image each, whose first values are 1 and 2.
NativePtq two_batches(const std::filesystem::path& cache, const std::string& method = "minmax") {
  const auto next = [count = 0](std::span<float> values) mutable {
    values.front() = static_cast<float>(++count);
    return count <= 2;
  };
  return {.method = method, .batch = {1, 3, 8, 8}, .next_batch = next, .cache = cache};
}

class TensorRtCalibration : public FakeTensorRt {
 protected:
  static void calibrate(const NativePtq& ptq, const std::vector<LayerType>& float_layers = {}) {
    compile(graph::parse(kDoubles),
            {.gpu = {.shapes = profile(), .native_ptq = ptq, .float_layers = float_layers}});
  }

  test::TemporaryFolder folder_;
};

TEST_F(TensorRtCalibration, FeedsEveryBatchOnceAndThenTakesItsCache) {
  if (!kHasCalibrators) GTEST_SKIP() << "TensorRT 11 has no calibrators";
  for (const std::string_view method : native_calibrators()) {
    const std::filesystem::path cache = folder_ / method;
    fake().calibrated.clear();

    calibrate(two_batches(cache, std::string(method)));
    EXPECT_THAT(fake().calibrated, ElementsAre(1, 2)) << method;
    EXPECT_TRUE(std::filesystem::exists(cache)) << method;

    calibrate(two_batches(cache, std::string(method)));
    EXPECT_THAT(fake().calibrated, ElementsAre(1, 2)) << method;
  }
}

TEST_F(TensorRtCalibration, PassesOnWhatWentWrongInABatch) {
  if (!kHasCalibrators) GTEST_SKIP() << "TensorRT 11 has no calibrators";
  NativePtq ptq = two_batches("");
  ptq.next_batch = [](std::span<float>) -> bool { fail(ErrorCode::corrupt_file, "bad image"); };

  expect(ErrorCode::corrupt_file, "bad image", [&] { calibrate(ptq); });
}

TEST_F(TensorRtCalibration, WithRangesThatNoKernelTakesSaysWhatElseToTry) {
  if (!kHasCalibrators) GTEST_SKIP() << "TensorRT 11 has no calibrators";
  fake().builds = false;
  fake().error = "Could not find any implementation for node model.1.conv";

  expect(ErrorCode::backend,
         AllOf(HasSubstr("'--native-ptq percentile'"), HasSubstr("known: minmax, entropy"),
               HasSubstr("yoloq quantize"), HasSubstr("for node model.1.conv")),
         [] { calibrate(two_batches("", "percentile")); });
}

TEST_F(TensorRtCalibration, RefusesUnknownMethodsAndLayers) {
  if (!kHasCalibrators) GTEST_SKIP() << "TensorRT 11 has no calibrators";

  expect(ErrorCode::bad_argument, HasSubstr("known: minmax, entropy"),
         [] { calibrate(two_batches("", "guess")); });
  expect(ErrorCode::not_found, HasSubstr("no layer 'model.99'"), [] {
    calibrate(two_batches(""), {{"model.99", FloatType::f32}});
  });
}

TEST_F(TensorRtCalibration, IsRefusedWhereItIsGone) {
  if (kHasCalibrators) GTEST_SKIP() << "TensorRT " << kMajor << " has calibrators";

  expect(ErrorCode::unsupported, HasSubstr("yoloq quantize"), [] { calibrate(two_batches("")); });
}

TEST_F(TensorRtCalibration, OfAQuantizedFileIsRefused) {
  const auto graph = graph::parse(R"(
      input x float32[N,3,H,W]
      s = float32[] {0.5}
      z = int8[] {0}
      q = QuantizeLinear(x, s, z)
      y = DequantizeLinear(q, s, z)
      return y)");

  expect(ErrorCode::bad_argument, HasSubstr("QuantizeLinear already"),
         [&] { compile(graph, {.gpu = {.shapes = profile(), .native_ptq = two_batches("")}}); });
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
