// SPDX-License-Identifier: Apache-2.0
#include "model/emit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "core/error.h"
#include "graph/execute.h"
#include "graph/verify.h"
#include "support/tiny_model.h"

namespace yoloq::model {
namespace {

using graph::Dim;
using graph::Dims;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr EmitOptions kDynamic{.batch = {}, .height = {}, .width = {}, .head = Head::decoded};
constexpr float kTolerance = 1e-4f;  // Pixels, of up to a thousand.

Dims fixed(const Shape& shape) {
  Dims result;
  for (const std::int64_t size : shape) result.push_back(Dim::fixed(size));
  return result;
}

std::map<std::string, Tensor> noise(std::int64_t batch, std::int64_t height, std::int64_t width) {
  std::mt19937 engine(3);
  std::vector<float> values(static_cast<std::size_t>(batch * 3 * height * width));
  for (float& value : values) value = static_cast<float>(engine() % 256) / 255;
  return {{"images", Tensor::of({batch, 3, height, width}, values)}};
}

std::string message_of(const Description& description, const EmitOptions& options) {
  try {
    emit(description, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Emit, GivesRawHeadsOfFixedShape) {
  const graph::Graph graph = emit(test::tiny_model(), {.batch = 2, .height = 64, .width = 96});

  verify(graph);
  EXPECT_EQ(graph.inputs.at(0).name, "images");
  EXPECT_EQ(graph.inputs.at(0).type.dims, fixed({2, 3, 64, 96}));
  ASSERT_EQ(graph.outputs.size(), 3u);
  EXPECT_EQ(graph.outputs[0].name, "output_0");
  EXPECT_EQ(graph.outputs[0].type.dims, fixed({2, 3 * (5 + 3), 64 / 8, 96 / 8}));
  EXPECT_EQ(graph.outputs[2].type.dims, fixed({2, 3 * (5 + 3), 64 / 32, 96 / 32}));
  EXPECT_EQ(graph[*graph.producer("output_1")].name, "model.14.m.1");
}

TEST(Emit, LeavesSizesOpenWhereAsked) {
  const graph::Graph graph = emit(test::tiny_model(), {.batch = {}, .height = {}, .width = {}});

  EXPECT_EQ(graph.inputs.at(0).type.dims,
            (Dims{Dim::named("batch"), Dim::fixed(3), Dim::named("height"), Dim::named("width")}));
  EXPECT_EQ(graph.outputs.at(1).type.dims, (Dims{Dim::named("batch"), Dim::fixed(24),
                                                 Dim::named("height/16"), Dim::named("width/16")}));
}

TEST(Emit, NamesEveryNodeAndValueOnce) {
  for (const Description& model : {test::tiny_model(), test::tiny_model_v5()}) {
    const graph::Graph graph = emit(model, kDynamic);
    std::set<std::string> names;

    for (const graph::NodeId id : graph.nodes()) {
      EXPECT_TRUE(names.insert(graph[id].name).second) << graph[id].name;
      EXPECT_THAT(graph[id].name, testing::StartsWith("model."));
    }
    EXPECT_NO_THROW(verify(graph));
  }
}

TEST(Emit, CarriesTheModelsInfo) {
  const Description model = test::tiny_model();

  EXPECT_EQ(read_metadata(emit(model)), model.info);
}

TEST(Emit, WritesTheVersionsThatItWasAskedFor) {
  for (std::int64_t opset = 13; opset <= 19; ++opset) {
    EXPECT_EQ(emit(test::tiny_model(), {.opset = opset}).opset(), opset);
  }
  EXPECT_THAT(message_of(test::tiny_model(), {.opset = 12}), HasSubstr("13 to 19"));
  EXPECT_THAT(message_of(test::tiny_model(), {.opset = 20}), HasSubstr("13 to 19"));
}

/// Detect.forward in plain arithmetic: boxes in the order head, anchor, row, column.
std::vector<float> decoded(const ModelInfo& info, const std::vector<Tensor>& heads) {
  std::vector<float> boxes;
  const int channels = 5 + info.class_count;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const std::int64_t rows = heads[h].shape()[2];
    const std::int64_t columns = heads[h].shape()[3];
    const std::span<const float> raw = heads[h].values<float>();
    const auto sigmoid = [&](std::size_t anchor, int c, std::int64_t row, std::int64_t column) {
      const auto plane = static_cast<std::int64_t>(anchor) * channels + c;
      const auto at = static_cast<std::size_t>((plane * rows + row) * columns + column);
      return 1 / (1 + std::exp(-double{raw[at]}));
    };
    for (std::size_t a = 0; a < info.anchors[h].size(); ++a) {
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          const auto p = [&](int c) { return sigmoid(a, c, row, column); };
          const double stride = info.strides[h];
          boxes.push_back(static_cast<float>((2 * p(0) - 0.5 + double(column)) * stride));
          boxes.push_back(static_cast<float>((2 * p(1) - 0.5 + double(row)) * stride));
          boxes.push_back(static_cast<float>(std::pow(2 * p(2), 2) * info.anchors[h][a][0]));
          boxes.push_back(static_cast<float>(std::pow(2 * p(3), 2) * info.anchors[h][a][1]));
          for (int c = 4; c < channels; ++c) boxes.push_back(static_cast<float>(p(c)));
        }
      }
    }
  }
  return boxes;
}

TEST(Emit, DecodesBoxesAsDetectDoes) {
  const Description model = test::tiny_model();
  const auto images = noise(1, 64, 96);
  const auto raw = execute(emit(model, {.height = 64, .width = 96}), images);
  const graph::Graph graph = emit(model, {.height = 64, .width = 96, .head = Head::decoded});

  const Tensor boxes = execute(graph, images).at("output");

  EXPECT_EQ(boxes.shape(), (Shape{1, 3 * (8 * 12 + 4 * 6 + 2 * 3), 8}));
  EXPECT_EQ(graph.outputs.at(0).type.dims, fixed(boxes.shape()));
  EXPECT_THAT(
      boxes.values<float>(),
      Pointwise(FloatNear(kTolerance),
                decoded(model.info, {raw.at("output_0"), raw.at("output_1"), raw.at("output_2")})));
}

TEST(Emit, DecodesAnySizeWithTheDynamicGraph) {
  const Description model = test::tiny_model_v5();
  const graph::Graph dynamic = emit(model, kDynamic);

  for (const auto& [height, width] : {Pair{64, 96}, Pair{32, 64}}) {
    const auto images = noise(2, height, width);
    const graph::Graph fixed_size =
        emit(model, {.batch = 2, .height = height, .width = width, .head = Head::decoded});

    EXPECT_EQ(execute(dynamic, images).at("output"), execute(fixed_size, images).at("output"));
  }
}

TEST(Emit, TheTinyModelsGiveScoresOfAllSizes) {
  for (const Description& model : {test::tiny_model(), test::tiny_model_v5()}) {
    const auto outputs =
        execute(emit(model, {.height = 96, .width = 96, .head = Head::decoded}), noise(1, 96, 96));
    const std::span<const float> boxes = outputs.at("output").values<float>();
    float lowest = 1;
    float highest = 0;

    for (std::size_t i = 4; i < boxes.size(); i += 8) {
      lowest = std::min(lowest, boxes[i]);
      highest = std::max(highest, boxes[i]);
    }

    EXPECT_LT(lowest, 0.2f);
    EXPECT_GT(highest, 0.6f);
  }
}

TEST(Emit, RefusesSizesThatTheStrideDoesNotDivide) {
  EXPECT_THAT(message_of(test::tiny_model(), {.height = 100}), HasSubstr("128"));
  EXPECT_THAT(message_of(test::tiny_model(), {.width = 0}), HasSubstr("32"));
  EXPECT_THAT(message_of(test::tiny_model(), {.width = -32}), HasSubstr("multiple"));
  EXPECT_THAT(message_of(test::tiny_model(), {.height = std::int64_t{1} << 62}),
              HasSubstr("multiple"));
  EXPECT_THAT(message_of(test::tiny_model(), {.batch = 0}), HasSubstr("batch"));
}

TEST(Emit, RefusesADescriptionThatContradictsItself) {
  const auto broken = [](auto act) {
    Description model = test::tiny_model();
    act(model);
    return message_of(model, {});
  };

  EXPECT_THAT(broken([](Description& m) { m.layers.clear(); }), HasSubstr("detection head"));
  EXPECT_THAT(broken([](Description& m) { m.layers.pop_back(); }), HasSubstr("detection head"));
  EXPECT_THAT(broken([](Description& m) { m.layers[4].from = {4}; }), HasSubstr("model.4"));
  EXPECT_THAT(broken([](Description& m) { m.layers[4].from = {-7}; }), HasSubstr("model.4"));
  EXPECT_THAT(broken([](Description& m) { m.layers[4].from = {}; }), HasSubstr("reads nothing"));
  EXPECT_THAT(broken([](Description& m) { m.layers[4].from = {2, 3}; }), HasSubstr("2 values"));
  EXPECT_THAT(broken([](Description& m) { m.layers.back().from = {13}; }), HasSubstr("model.14"));
  EXPECT_THAT(broken([](Description& m) { m.info.strides = {8, 16}; }), HasSubstr("model.14"));
  EXPECT_THAT(broken([](Description& m) { m.info.strides = {0, 16, 32}; }), HasSubstr("strides"));
  EXPECT_THAT(broken([](Description& m) { m.info.strides = {16, 16, 32}; }), HasSubstr("cells"));
  EXPECT_THAT(broken([](Description& m) { m.info.anchors[1].pop_back(); }), HasSubstr("anchors"));
  EXPECT_THAT(broken([](Description& m) { m.info.class_count = 4; }), HasSubstr("model.14.m.0"));
}

}  // namespace
}  // namespace yoloq::model
