// SPDX-License-Identifier: Apache-2.0
// What a user is told when TensorRT, its parser or the GPU fails; batches against profiles.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <numeric>

#include "core/error.h"
#include "core/file.h"
#include "graph/text.h"
#include "runtime/engine_file.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/fake_cuda.h"
#include "runtime/tensorrt/fake_nvinfer.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

using graph::parse;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kDoubles = "input x float32[N,3,H,W]\ny = Add(x, x) @model.9.m\nreturn y";

test::FakeNvInfer& fake() {
  using Get = test::FakeNvInfer*();
  void* library = ::dlopen(YOLOQ_TENSORRT_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  return *reinterpret_cast<Get*>(::dlsym(library, test::kFakeNvInfer))();
}

/// Batches of 1 to 4 images of 8 to 16 pixels.
ShapeProfile profile(std::int64_t least = 1) {
  return {.least = {least, 3, 8, 8}, .best = {2, 3, 8, 8}, .most = {4, 3, 16, 16}};
}

class TensorRtFailure : public testing::Test {
 protected:
  TensorRtFailure() {
    const int version = fake().version;
    fake() = {.version = version};
    test::fake_cuda() = {};
  }

  static std::shared_ptr<Engine> build(std::int64_t least = 1) {
    return compile(parse(kDoubles), {.gpu = {.shapes = profile(least)}});
  }

  static void expect(ErrorCode code, const testing::Matcher<std::string>& message,
                     const std::function<void()>& act) {
    try {
      act();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(std::string(error.what()), message);
    }
  }
};

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
         [] { compile(parse(kDoubles), {.gpu = {.device = 3, .shapes = profile()}}); });
}

TEST_F(TensorRtFailure, OfMemoryForABatchSaysHowMuchIsFree) {
  test::fake_cuda().free_bytes = std::size_t{1} << 20;
  const auto request = build()->make_request();

  expect(ErrorCode::backend, AllOf(HasSubstr("of 1 MiB"), HasSubstr("--batch-size")), [&] {
    request->input(0, {500, 3, 16, 16});
  });
}

TEST_F(TensorRtFailure, OfTheProfileIsToldBeforeTheBuild) {
  const auto build_with = [](const std::optional<ShapeProfile>& shapes) {
    compile(parse(kDoubles), {.gpu = {.shapes = shapes}});
  };
  ShapeProfile other_channels = profile();
  other_channels.most[1] = 4;
  ShapeProfile out_of_order = profile();
  out_of_order.least[0] = 3;

  expect(ErrorCode::bad_argument, HasSubstr("--min-shape"), [&] { build_with(std::nullopt); });
  expect(ErrorCode::bad_argument, HasSubstr("does not fit the input 'x'"),
         [&] { build_with(other_channels); });
  expect(ErrorCode::bad_argument, HasSubstr("not in order"), [&] { build_with(out_of_order); });

  fake().takes_profile = false;
  fake().error = "profile 0 is bad";
  expect(ErrorCode::backend, AllOf(HasSubstr("refuses the shapes"), HasSubstr("profile 0 is bad")),
         [&] { build_with(profile()); });
}

TEST_F(TensorRtFailure, OfAProfileForFixedSizesSaysHowToOpenThem) {
  expect(ErrorCode::bad_argument, HasSubstr("--dynamic"), [] {
    compile(parse("input x float32[1,3,8,8]\ny = Add(x, x)\nreturn y"),
            {.gpu = {.shapes = profile()}});
  });
}

TEST_F(TensorRtFailure, OfAShapeOutsideTheProfileSaysWhichAreIn) {
  const auto request = build(2)->make_request();

  for (const Shape& shape : {Shape{2, 3, 32, 16}, Shape{2, 3, 8, 4}, Shape{1, 3, 8, 8}}) {
    expect(ErrorCode::bad_argument, AllOf(HasSubstr("--min-shape"), HasSubstr("--max-shape")),
           [&] { request->input(0, shape); });
  }
  expect(ErrorCode::bad_argument, HasSubstr("cannot be of shape"), [&] {
    request->input(0, {2, 4, 8, 8});
  });
  expect(ErrorCode::bad_argument, HasSubstr("no input 1"), [&] { request->input(1); });
  expect(ErrorCode::bad_argument, HasSubstr("no output 1"), [&] { request->output(1); });
}

/// An engine file, changed and read again.
class TensorRtEngineFile : public TensorRtFailure {
 protected:
  std::shared_ptr<Engine> reload(const std::function<void(EngineFile&)>& change) {
    build()->save(folder_ / "model.engine");
    EngineFile file = read_engine_file(folder_ / "model.engine");
    change(file);
    return load(file, {});
  }

  test::TemporaryFolder folder_;
};

TEST_F(TensorRtEngineFile, ComesBackAsItWas) {
  const auto engine = reload([](EngineFile&) {});

  ASSERT_EQ(engine->inputs().size(), 1u);
  EXPECT_EQ(engine->inputs()[0].dims.size(), 4u);
  EXPECT_FALSE(engine->inputs()[0].dims[0].known());
  EXPECT_EQ(engine->description(), build()->description());
}

TEST_F(TensorRtEngineFile, OfAnotherVersionOrGpuIsRefused) {
  expect(ErrorCode::unsupported, HasSubstr("TensorRT 7.1.2 built it"),
         [&] { reload([](EngineFile& file) { file.backend_version = "7.1.2"; }); });
  expect(ErrorCode::unsupported, HasSubstr("'Other GPU'"),
         [&] { reload([](EngineFile& file) { file.device = "Other GPU"; }); });
}

TEST_F(TensorRtEngineFile, OfGarbageIsRefusedInTensorRtsWords) {
  fake().error = "Magic tag does not match";

  expect(ErrorCode::backend,
         AllOf(HasSubstr("cannot load the plan"), HasSubstr("Magic tag does not match")),
         [&] { reload([](EngineFile& file) { file.blob = "garbage"; }); });
}

TEST_F(TensorRtEngineFile, ThatWasCutOffIsRefused) {
  build()->save(folder_ / "model.engine");
  const std::string bytes = read_file(folder_ / "model.engine");
  write_file(folder_ / "model.engine", bytes.substr(0, bytes.size() / 2));

  expect(ErrorCode::corrupt_file, HasSubstr("damaged or cut off"),
         [&] { read_engine_file(folder_ / "model.engine"); });
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

class TensorRtBatch : public TensorRtFailure {
 protected:
  static void expect_doubled(Request& request, std::int64_t batch) {
    const auto input = request.input(0, {batch, 3, 8, 8}).values<float>();
    std::iota(input.begin(), input.end(), 1.0F);
    const std::vector<float> before(input.begin(), input.end());
    request.run();

    const TensorView output = request.output(0);
    ASSERT_EQ(output.shape, (Shape{batch, 3, 8, 8}));
    const auto values = output.values<float>();
    for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(values[i], 2 * before[i]) << i;
  }
};

TEST_F(TensorRtBatch, WithinTheProfileIsOneRun) {
  const auto request = build()->make_request();

  for (const std::int64_t batch : {1, 3, 4}) expect_doubled(*request, batch);

  EXPECT_THAT(fake().batches, ElementsAre(1, 3, 4));
}

TEST_F(TensorRtBatch, BeyondTheProfileIsComputedInPieces) {
  const auto request = build()->make_request();

  expect_doubled(*request, 6);
  EXPECT_THAT(fake().batches, ElementsAre(4, 2));

  fake().batches.clear();
  expect_doubled(*request, 9);
  EXPECT_THAT(fake().batches, ElementsAre(4, 4, 1));
}

TEST_F(TensorRtBatch, LeavesNoPieceBelowTheSmallestShape) {
  const auto request = build(2)->make_request();

  expect_doubled(*request, 5);

  EXPECT_THAT(fake().batches, ElementsAre(3, 2));
}

TEST_F(TensorRtBatch, OfTwoRequestsDoNotDisturbEachOther) {
  const auto engine = build();
  const auto a = engine->make_request();
  const auto b = engine->make_request();

  expect_doubled(*a, 2);
  expect_doubled(*b, 6);
  expect_doubled(*a, 2);

  EXPECT_THAT(fake().batches, ElementsAre(2, 4, 2, 2));
  EXPECT_EQ(fake().contexts, kSharesProfiles ? 2 : 1);
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
