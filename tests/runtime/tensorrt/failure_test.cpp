// SPDX-License-Identifier: Apache-2.0
// What a user is told when TensorRT, its parser or the GPU fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "runtime/tensorrt/fake_tensorrt.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using TensorRtFailure = FakeTensorRt;

TEST_F(TensorRtFailure, OfTheParserIsPassedOnInEveryText) {
  fake().parse_errors = {{"Assertion failed: no importer", 0}, {"and another thing", -1}};

  expect(ErrorCode::backend,
         AllOf(HasSubstr("node 'model.9.m' (Add): Assertion failed: no importer"),
               HasSubstr("; and another thing")),
         [] { build(); });
}

TEST_F(TensorRtFailure, OfABuildGivesTheReasonThatWasLogged) {
  fake().builds = false;
  fake().error = "Out of memory: 9 GiB requested";

  expect(ErrorCode::backend,
         AllOf(HasSubstr("cannot build the model"), HasSubstr("Out of memory: 9 GiB requested")),
         [] { build(); });
}

TEST_F(TensorRtFailure, WithoutAWordSaysThatThereWasNone) {
  fake().builds = false;

  expect(ErrorCode::backend, HasSubstr("no reason was given"), [] { build(); });
}

TEST_F(TensorRtFailure, OfABuilderAsksForDriverAndGpu) {
  fake().gives_builder = false;

  expect(ErrorCode::backend, HasSubstr("is there an NVIDIA driver and a GPU?"), [] { build(); });
}

TEST_F(TensorRtFailure, OfAContextGivesTheReasonThatWasLogged) {
  fake().gives_context = false;
  fake().error = "Out of memory: activations";

  expect(ErrorCode::backend,
         AllOf(HasSubstr("no execution context"), HasSubstr("Out of memory: activations")),
         [] { build()->make_request(); });
}

TEST_F(TensorRtFailure, OfARunGivesTheReasonThatWasLogged) {
  fake().runs = false;
  fake().error = "illegal memory access";
  const auto request = build()->make_request();
  request->input(0, {1, 3, 8, 8});

  expect(ErrorCode::backend, HasSubstr("illegal memory access"), [&] { request->run(); });
}

TEST_F(TensorRtFailure, OfTheInspectorIsAnError) {
  fake().gives_inspector = false;

  expect(ErrorCode::backend, HasSubstr("no inspector"), [] { build()->layers(); });
}

TEST_F(TensorRtFailure, WithoutDriverOrGpuSaysSo) {
  const auto refused = [](const char* reason) {
    expect(ErrorCode::unsupported, HasSubstr(reason), [] { build(); });
    expect(ErrorCode::unsupported, HasSubstr(reason), [] { identity(); });
  };

  test::fake_cuda().has_driver = false;
  refused("no GPU can be used: no driver");
  test::fake_cuda() = {.devices = 0};
  refused("no GPU can be used: none is visible");
}

TEST_F(TensorRtFailure, ForAGpuThatIsNotThereSaysHowManyAre) {
  expect(ErrorCode::unsupported, HasSubstr("there is no GPU 3; 1 can be used"),
         [] { compile(graph::parse(kDoubles), {.gpu = {.device = 3, .shapes = profile()}}); });
}

TEST_F(TensorRtFailure, OfMemoryForABatchSaysHowMuchIsFree) {
  test::fake_cuda().free_bytes = std::size_t{1} << 20;
  const auto request = build()->make_request();

  expect(ErrorCode::backend, AllOf(HasSubstr("of 1 MiB"), HasSubstr("--batch-size")), [&] {
    request->input(0, {500, 3, 16, 16});
  });
}

TEST(TensorRtLibrary, OfAnotherVersionThanTheHeadersIsRefused) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // The library is asked once per process.
  const auto ask = [] {
    fake().version = 7203;
    try {
      identity();
    } catch (const Error& error) {
      std::fputs(error.what(), stderr);
      std::exit(error.code() == ErrorCode::unsupported ? 0 : 1);
    }
  };

  EXPECT_EXIT(ask(), testing::ExitedWithCode(0), "library found is 7.2.3: build it again");
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
