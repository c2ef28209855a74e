// SPDX-License-Identifier: Apache-2.0
#include "pipeline/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "graph/execute.h"
#include "graph/text.h"
#include "model/emit.h"
#include "onnx/model_file.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr vision::Size kModelSize{96, 64};

/// The dimensions of the input, -1 where they are open.
std::vector<std::int64_t> input_sizes(const graph::Graph& graph) {
  std::vector<std::int64_t> sizes;
  for (const graph::Dim& dim : *graph.inputs.front().type.dims) {
    sizes.push_back(dim.known() ? dim.size : -1);
  }
  return sizes;
}

/// The tiny model as a checkpoint and as ONNX files.
class LoadModel : public testing::Test {
 protected:
  fs::path checkpoint() {
    const fs::path path = folder_ / "tiny.pt";
    test::write_checkpoint(test::tiny_model(), path, {.dtype = DType::f32});
    return path;
  }

  fs::path onnx_file(const model::EmitOptions& options) {
    const fs::path path = folder_ / "tiny.onnx";
    onnx::write_model(model::emit(test::tiny_model(), options), path);
    return path;
  }

  fs::path fixed_file() { return onnx_file({.batch = 2, .height = 64, .width = 96}); }
  fs::path open_file() {
    return onnx_file({.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
  }

  test::TemporaryFolder folder_;
};

/// A field of a protobuf message: its number and wire type, its length, its bytes.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

/// An ONNX model of one float in `file`: behind another model it is one more initializer of it.
std::string float_stored_in(const std::string& file) {
  const std::string one_float("\x08\x01\x10\x01", 4);  // dims: 1, data_type: FLOAT
  const std::string is_external("\x70\x01", 2);        // data_location: EXTERNAL
  const std::string location = field(1, "location") + field(2, file);
  return field(7, field(5, one_float + field(8, "extra") + field(13, location) + is_external));
}

TEST_F(LoadModel, TheHashIsOfExternalDataToo) {
  const fs::path path = fixed_file();
  EXPECT_EQ(load_model(path).hash, hash_of(read_file(path)));
  write_file(path, read_file(path) + float_stored_in("extra.bin"));
  write_file(folder_ / "extra.bin", "abcd");
  const std::string before = load_model(path).hash;

  write_file(folder_ / "extra.bin", "abce");

  EXPECT_NE(load_model(path).hash, before);
}

TEST_F(LoadModel, ACheckpointTakesTheSizeAndBatchAskedFor) {
  const DetectionModel model = load_model(checkpoint(), {.size = kModelSize, .batch = 2});

  EXPECT_EQ(model.name, "tiny");
  EXPECT_THAT(input_sizes(model.graph), ElementsAre(2, 3, 64, 96));
  EXPECT_EQ(model.size, kModelSize);
  EXPECT_EQ(model.batch, 2);
  EXPECT_EQ(model.head.class_count, 3);
  EXPECT_THAT(model.head.strides, ElementsAre(8, 16, 32));
}

TEST_F(LoadModel, ACheckpointIs640PixelsUnlessAsked) {
  EXPECT_EQ(load_model(checkpoint()).size, (vision::Size{640, 640}));
}

TEST_F(LoadModel, ADynamicCheckpointStaysOpenBesideItsFixedForm) {
  const DetectionModel model = load_model(checkpoint(), {.size = kModelSize, .dynamic = true});

  EXPECT_THAT(input_sizes(model.graph), ElementsAre(-1, 3, -1, -1));
  EXPECT_THAT(input_sizes(model.fixed), ElementsAre(1, 3, 64, 96));
}

TEST_F(LoadModel, AnOnnxFileKeepsItsSizeAndBatch) {
  const DetectionModel model = load_model(fixed_file());

  EXPECT_THAT(input_sizes(model.fixed), ElementsAre(2, 3, 64, 96));
  EXPECT_EQ(model.size, kModelSize);
  EXPECT_EQ(model.batch, 2);
}

TEST_F(LoadModel, ADynamicOnnxFileTakesTheSizeAndBatchAskedFor) {
  const fs::path file = open_file();

  const DetectionModel model = load_model(file, {.size = kModelSize, .batch = 5});

  EXPECT_THAT(input_sizes(model.graph), ElementsAre(-1, 3, -1, -1));
  EXPECT_THAT(input_sizes(model.fixed), ElementsAre(5, 3, 64, 96));
  EXPECT_EQ(load_model(file).size, (vision::Size{640, 640}));
  EXPECT_EQ(load_model(file).batch, 1);
}

TEST_F(LoadModel, AnOnnxFileOfAnotherSizeOrBatchIsRefusedWithBoth) {
  const fs::path file = fixed_file();

  EXPECT_THAT(message_when([&] {
                load_model(file, {.size = vision::Size{96, 96}});
              }),
              AllOf(HasSubstr(file.string()), HasSubstr("height of 64, not 96")));
  EXPECT_THAT(message_when([&] {
                load_model(file, {.size = vision::Size{64, 64}});
              }),
              HasSubstr("width of 96, not 64"));
  EXPECT_THAT(message_when([&] { load_model(file, {.batch = 4}); }),
              AllOf(HasSubstr("batch of 2, not 4"), HasSubstr("--dynamic")));
}

TEST_F(LoadModel, ASizeThatStridesDoNotDivideIsRefused) {
  EXPECT_THAT(message_when([&] {
                load_model(checkpoint(), {.size = vision::Size{96, 72}});
              }),
              HasSubstr("72"));
}

TEST_F(LoadModel, CheckpointAndOnnxFileComputeTheSame) {
  const DetectionModel pt = load_model(checkpoint(), {.size = kModelSize, .batch = 2});
  const DetectionModel onnx = load_model(fixed_file());
  std::vector<float> pixels(2 * 3 * 64 * 96);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 97) / 97;
  const Tensor input = Tensor::of({2, 3, 64, 96}, pixels);

  const auto of_pt = graph::execute(pt.fixed, {{"images", input}});
  const auto of_onnx = graph::execute(onnx.fixed, {{"images", input}});

  ASSERT_EQ(of_pt.size(), 3u);
  for (const auto& [name, tensor] : of_pt) {
    const auto expected = of_onnx.at(name).values<float>();
    ASSERT_EQ(tensor.shape(), of_onnx.at(name).shape()) << name;
    // Values up to 200, a few float32 roundings apart where BatchNormalization was folded.
    EXPECT_THAT(tensor.values<float>(), Pointwise(FloatNear(1e-3f), expected)) << name;
  }
}

TEST_F(LoadModel, AFileOfAnotherKindIsRefused) {
  write_file(folder_ / "tiny.engine", "x");

  EXPECT_THAT(message_when([&] { load_model(folder_ / "tiny.engine"); }),
              AllOf(HasSubstr("tiny.engine"), HasSubstr(".pt"), HasSubstr(".onnx")));
}

TEST_F(LoadModel, AMissingOrBrokenFileIsNamed) {
  EXPECT_THAT(message_when([&] { load_model(folder_ / "no.pt"); }), HasSubstr("no.pt"));
  EXPECT_THAT(message_when([&] { load_model(folder_ / "no.onnx"); }), HasSubstr("no.onnx"));
  write_file(folder_ / "bad.onnx", "this is no model");
  EXPECT_THAT(message_when([&] { load_model(folder_ / "bad.onnx"); }), HasSubstr("bad.onnx"));
}

TEST_F(LoadModel, FloatLayersAreCountedAsFloat) {
  const LayerCount count = count_layers(load_model(fixed_file()).fixed);

  EXPECT_EQ(count.int8, 0);
  EXPECT_GT(count.total, 20);
}

TEST(CountLayers, LooksThroughWhatOnlyMovesCodes) {
  const LayerCount count = count_layers(graph::parse(R"(
    s = float32[] {0.5}
    z = int8[] {0}
    codes = int8[1,1,1,1] {1}
    q = QuantizeLinear(x, s, z)
    d = DequantizeLinear(q, s, z)
    pooled = MaxPool(d) kernel_shape=[1,1]
    w = DequantizeLinear(codes, s, z)
    y = Conv(pooled, w) @pooled
    f = Conv(x, w) @float
    return y, f)"));

  EXPECT_EQ(count.int8, 1);
  EXPECT_EQ(count.total, 2);
}

}  // namespace
}  // namespace yoloq::pipeline
