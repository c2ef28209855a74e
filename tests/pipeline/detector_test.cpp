// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "model/emit.h"
#include "onnx/model_file.h"
#include "pipeline/calm_model.h"
#include "pipeline/evaluation.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"
#include "support/tiny_checkpoint.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr vision::Size kDetectorSize{96, 64};

bool is_same(const detect::Box& a, const detect::Box& b) {
  return a.class_index == b.class_index && std::abs(a.confidence - b.confidence) < 1e-4f &&
         std::abs(a.x1 - b.x1) < 1e-2f && std::abs(a.y1 - b.y1) < 1e-2f &&
         std::abs(a.x2 - b.x2) < 1e-2f && std::abs(a.y2 - b.y2) < 1e-2f;
}

/// The same boxes; two that are equally sure may stand in any order.
void expect_same(const Found& found, const Found& expected) {
  ASSERT_EQ(found.boxes.size(), expected.boxes.size());
  for (std::size_t i = 0; i < found.boxes.size(); ++i) {
    EXPECT_EQ(found.boxes[i].size(), expected.boxes[i].size()) << "image " << i;
    for (const detect::Box& box : expected.boxes[i]) {
      EXPECT_TRUE(std::ranges::any_of(found.boxes[i], std::bind_front(is_same, box)))
          << "image " << i << ", class " << box.class_index << " at " << box.x1 << ", " << box.y1;
    }
  }
}

class DetectorOf : public testing::Test {
 protected:
  fs::path checkpoint() {
    test::write_checkpoint(test::calm_model(), folder_ / "tiny.pt", {.dtype = DType::f32});
    return folder_ / "tiny.pt";
  }

  fs::path onnx_file(const model::EmitOptions& options) {
    onnx::write_model(model::emit(test::calm_model(), options), folder_ / "tiny.onnx");
    return folder_ / "tiny.onnx";
  }

  Found find(const fs::path& path, const ModelOptions& options, int workers = 0) {
    const LoadedDetector loaded = load_detector(path, options, {});
    return find_objects(loaded.detector, set_.val, {.confidence = 0.3f, .workers = workers});
  }

  test::TemporaryFolder folder_;
  test::TinyDataSet set_ = test::write_tiny_data_set(folder_.path());
};

TEST_F(DetectorOf, ACheckpointSaysWhatItIs) {
  const LoadedDetector loaded = load_detector(checkpoint(), {.size = kDetectorSize}, {});

  EXPECT_EQ(loaded.name, "tiny");
  EXPECT_EQ(loaded.precision(), "fp32");
  EXPECT_EQ(loaded.layers.int8, 0);
  ASSERT_TRUE(loaded.in_file);
  EXPECT_EQ(loaded.layers.total, loaded.in_file->total);
  EXPECT_EQ(loaded.detector.head.names.size(), 3u);
}

TEST_F(DetectorOf, ACheckpointFindsTheSameForAnyBatchAndWorkers) {
  const fs::path path = checkpoint();
  const Found one = find(path, {.size = kDetectorSize, .batch = 1}, 1);

  EXPECT_EQ(one.images, set_.val.size());
  EXPECT_FALSE(one.boxes.front().empty());
  expect_same(find(path, {.size = kDetectorSize, .batch = 1}, 4), one);
  expect_same(find(path, {.size = kDetectorSize, .batch = 3}, 2), one);
}

TEST_F(DetectorOf, EveryFormOfTheModelFindsTheSame) {
  const Found expected = find(checkpoint(), {.size = kDetectorSize});

  expect_same(find(onnx_file({.height = 64, .width = 96}), {}), expected);
  expect_same(
      find(onnx_file({.height = 64, .width = 96, .head = model::Head::decoded, .opset = 17}), {}),
      expected);
  const model::EmitOptions open{.batch = {}, .height = {}, .width = {}};
  expect_same(find(onnx_file(open), {.size = kDetectorSize, .batch = 2}), expected);
}

TEST_F(DetectorOf, ACompiledModelFileFindsTheSame) {
  const LoadedDetector loaded =
      load_detector(checkpoint(), {.size = kDetectorSize, .batch = 2}, {});
  const fs::path file = folder_ / "tiny.engine";
  loaded.detector.engine->save(file);

  const LoadedDetector compiled = load_detector(file, {}, {});

  EXPECT_FALSE(compiled.model);
  EXPECT_EQ(compiled.detector.size, kDetectorSize);
  EXPECT_EQ(compiled.detector.batch, 2);
  EXPECT_EQ(compiled.detector.head.names, loaded.detector.head.names);
  EXPECT_EQ(compiled.layers.total, loaded.layers.total);
  expect_same(find(file, {}), find(folder_ / "tiny.pt", {.size = kDetectorSize}));
}

TEST_F(DetectorOf, AnOpenEngineTakesAnySizeAndBatchAndFindsTheSame) {
  const LoadedDetector open =
      load_detector(checkpoint(), {.size = kDetectorSize, .dynamic = true}, {});
  const fs::path file = folder_ / "open.engine";
  open.detector.engine->save(file);

  EXPECT_FALSE(open.detector.fixed_batch);
  EXPECT_EQ(open.detector.size, kDetectorSize);
  for (const vision::Size size : {kDetectorSize, vision::Size{64, 128}}) {
    const Found expected = find(folder_ / "tiny.pt", {.size = size});
    expect_same(find(file, {.size = size}), expected);
    expect_same(find(file, {.size = size, .batch = 3}), expected);
    expect_same(find(folder_ / "tiny.pt", {.size = size, .batch = 2, .dynamic = true}), expected);
  }
}

TEST_F(DetectorOf, WhatIsFixedCannotBeChosen) {
  const fs::path model = onnx_file({.batch = 1, .height = 64, .width = 96});
  load_detector(model, {}, {}).detector.engine->save(folder_ / "fixed.engine");
  const auto refusal = [&](const fs::path& path, const ModelOptions& options) {
    return test::message_when([&] { load_detector(path, options, {}); });
  };

  EXPECT_THAT(refusal(folder_ / "fixed.engine", {.size = vision::Size{64, 64}}),
              HasSubstr("fixed.engine: it is compiled for a width of 96, not 64: build it anew"));
  EXPECT_THAT(refusal(folder_ / "fixed.engine", {.batch = 4}), HasSubstr("a batch of 1, not 4"));
  EXPECT_THAT(refusal(model, {.dynamic = true}), HasSubstr("export it with --dynamic"));
}

TEST_F(DetectorOf, AMissingFileIsNamed) {
  for (const char* name : {"no.pt", "no.onnx", "no.engine"}) {
    EXPECT_THAT(test::message_when([&] { load_detector(folder_ / name, {}, {}); }),
                HasSubstr(name));
  }
}

}  // namespace
}  // namespace yoloq::pipeline
