// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "graph/text.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/fake_cuda.h"
#include "runtime/tensorrt/fake_nvinfer.h"

namespace yoloq::runtime::tensorrt {

/// What the fake engine computes.
inline constexpr auto kDoubles = "input x float32[N,3,H,W]\ny = Add(x, x) @model.9.m\nreturn y";

inline test::FakeNvInfer& fake() {
  using Get = test::FakeNvInfer*();
  void* library = ::dlopen(YOLOQ_TENSORRT_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  return *reinterpret_cast<Get*>(::dlsym(library, test::kFakeNvInfer))();
}

/// Batches of 1 to 4 images of 8 to 16 pixels.
inline ShapeProfile profile(std::int64_t least = 1) {
  return {.least = {least, 3, 8, 8}, .best = {2, 3, 8, 8}, .most = {4, 3, 16, 16}};
}

/// Tests on the fakes; each starts with ones that do not fail.
class FakeTensorRt : public testing::Test {
 protected:
  FakeTensorRt() {
    const int version = fake().version;
    fake() = {.version = version};
    test::fake_cuda() = {};
  }

  static std::shared_ptr<Engine> build(std::int64_t least = 1) {
    return compile(graph::parse(kDoubles), {.gpu = {.shapes = profile(least)}});
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

}  // namespace yoloq::runtime::tensorrt
