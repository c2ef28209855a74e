// SPDX-License-Identifier: Apache-2.0
#include "runtime/replicated.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "core/error.h"
#include "runtime/fake_engine.h"

namespace yoloq::runtime {
namespace {

using test::FakeEngine;
using testing::HasSubstr;

/// A fake of two streams that can be had on devices 1 and 2 as well.
std::shared_ptr<FakeEngine> engine_of_three_devices() {
  auto engine = std::make_shared<FakeEngine>();
  engine->stream_count = 2;
  for (const int device : {1, 2}) {
    engine->devices[device] = std::make_shared<FakeEngine>();
    engine->devices[device]->stream_count = 2;
  }
  return engine;
}

TEST(Replicated, IsTheEngineItselfWithoutFurtherDevices) {
  const auto engine = std::make_shared<FakeEngine>();

  EXPECT_EQ(replicated(engine, {}), engine);
}

TEST(Replicated, MakesRequestsOnEachDeviceInTurn) {
  const auto engine = engine_of_three_devices();
  const auto all = replicated(engine, std::array{1, 2});
  std::vector<std::unique_ptr<Request>> requests;
  for (int i = 0; i < 7; ++i) requests.push_back(all->make_request());

  EXPECT_EQ(engine->requests, 3);
  EXPECT_EQ(engine->devices[1]->requests, 2);
  EXPECT_EQ(engine->devices[2]->requests, 2);
}

TEST(Replicated, KeepsAsManyRequestsBusyAsAllDevicesTogether) {
  EXPECT_EQ(replicated(engine_of_three_devices(), std::array{1, 2})->streams(), 6);
}

TEST(Replicated, ComputesOnTheDeviceOfTheRequest) {
  const auto engine = engine_of_three_devices();
  engine->devices[1]->added = 100;  // Tells the devices apart.
  const auto all = replicated(engine, std::array{1});

  for (const float expected : {6.0f, 106.0f}) {
    const auto request = all->make_request();
    request->input(0, {1, 2}).values<float>()[0] = 3;
    request->run();
    EXPECT_EQ(request->output(0).values<float>()[0], expected);
  }
}

TEST(Replicated, RefusesDevicesThatARuntimeLacks) {
  try {
    replicated(std::make_shared<FakeEngine>(), std::array{1});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("device 1"));
  }
}

}  // namespace
}  // namespace yoloq::runtime
