// SPDX-License-Identifier: Apache-2.0
// Engine files of TensorRT, on a fake of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "runtime/engine_file.h"
#include "runtime/tensorrt/fake_tensorrt.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// An engine file, changed and read again.
class TensorRtEngineFile : public FakeTensorRt {
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

TEST_F(TensorRtEngineFile, RunsOnEachGpuThatIsThere) {
  test::fake_cuda().devices = 2;
  const auto engine = build();

  const auto request = engine->on_device(1)->make_request();

  EXPECT_EQ(request->input(0, {1, 3, 8, 8}).shape, (Shape{1, 3, 8, 8}));
  EXPECT_NO_THROW(request->run());
  expect(ErrorCode::unsupported, HasSubstr("there is no GPU 2; 2 can be used"),
         [&] { engine->on_device(2); });
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
