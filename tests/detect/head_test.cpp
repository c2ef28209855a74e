// SPDX-License-Identifier: Apache-2.0
#include "detect/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "graph/text.h"
#include "model/emit.h"
#include "onnx/model_file.h"
#include "support/data.h"
#include "support/tiny_model.h"

namespace yoloq::detect {
namespace {

using graph::Graph;
using nlohmann::json;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Anchors = std::vector<std::vector<model::Anchor>>;

const HeadHints kHints{.names = {"cat", "dog"}, .anchors = {{{10, 13}, {16, 30}, {33, 23}}}};

std::string message_of(const Graph& graph, const HeadHints& hints = {}) {
  try {
    find_head(graph, hints);
  } catch (const Error& error) {
    EXPECT_THAT(error.code(), AnyOf(ErrorCode::unsupported, ErrorCode::bad_argument));
    return error.what();
  }
  return "nothing was thrown";
}

/// One level of a head with 3 anchors and 2 classes on an image of 64 x 64.
Graph one_level() {
  return graph::parse(R"(
      input images float32[1,3,64,64]
      weight = float32[21,3,8,8] {0.5}
      y = Conv(images, weight) strides=[8,8]
      return y)");
}

TEST(FindHead, KnowsTheRawHeadsOfItsOwnFiles) {
  const model::Description tiny = test::tiny_model();

  const Head head = find_head(model::emit(tiny, {.height = 64, .width = 96}));

  EXPECT_EQ(head.form, HeadForm::raw4d);
  EXPECT_THAT(head.outputs, ElementsAre("output_0", "output_1", "output_2"));
  EXPECT_THAT(head.indices, ElementsAre(0, 1, 2));
  EXPECT_THAT(head.strides, ElementsAre(8, 16, 32));
  EXPECT_EQ(head.anchors, tiny.info.anchors);
  EXPECT_EQ(head.class_count, 3);
  EXPECT_EQ(head.names, tiny.info.names);
}

TEST(FindHead, KnowsTheDecodedHeadOfItsOwnFiles) {
  const model::Description tiny = test::tiny_model();

  const Head head = find_head(model::emit(tiny, {.head = model::Head::decoded}));

  EXPECT_EQ(head.form, HeadForm::decoded);
  EXPECT_THAT(head.indices, ElementsAre(0));
  EXPECT_EQ(head.class_count, 3);
  EXPECT_EQ(head.names, tiny.info.names);
}

TEST(FindHead, DoesNotNeedTheSizeOfTheInput) {
  const model::EmitOptions open{.batch = {}, .height = {}, .width = {}};
  model::EmitOptions open_decoded = open;
  open_decoded.head = model::Head::decoded;

  EXPECT_THAT(find_head(model::emit(test::tiny_model(), open)).strides, ElementsAre(8, 16, 32));
  EXPECT_EQ(find_head(model::emit(test::tiny_model(), open_decoded)).class_count, 3);
}

TEST(FindHead, NeedsNoNodesWhereTheMetadataSaysAll) {
  const Graph whole = model::emit(test::tiny_model());
  Graph ports;
  ports.inputs = whole.inputs;
  ports.outputs = whole.outputs;
  ports.metadata = whole.metadata;

  EXPECT_EQ(find_head(ports), find_head(whole));
}

TEST(FindHead, PutsLevelsInOrderFromFineToCoarse) {
  Graph graph = model::emit(test::tiny_model());
  std::swap(graph.outputs[0], graph.outputs[2]);

  const Head head = find_head(graph);

  EXPECT_THAT(head.outputs, ElementsAre("output_0", "output_1", "output_2"));
  EXPECT_THAT(head.indices, ElementsAre(2, 1, 0));
}

TEST(FindHead, LevelsMayShareTheSizeOfTheBatch) {
  const Graph graph = graph::parse(R"(
      input images float32[N,3,64,64]
      fine = float32[21,3,8,8] {0.5}
      coarse = float32[21,3,16,16] {0.5}
      first = int64[1] {0}
      fine_rest = int64[4] {3,7,8,8}
      coarse_rest = int64[4] {3,7,4,4}
      x = Conv(images, fine) strides=[8,8]
      y = Conv(images, coarse) strides=[16,16]
      shape = Shape(x)
      batch = Gather(shape, first)
      fine_shape = Concat(batch, fine_rest) axis=0
      coarse_shape = Concat(batch, coarse_rest) axis=0
      x_split = Reshape(x, fine_shape)
      y_split = Reshape(y, coarse_shape)
      x_out = Transpose(x_split) perm=[0,1,3,4,2]
      y_out = Transpose(y_split) perm=[0,1,3,4,2]
      return x_out, y_out)");
  const HeadHints hints{.names = kHints.names, .anchors = {kHints.anchors[0], kHints.anchors[0]}};

  const Head head = find_head(graph, hints);

  EXPECT_EQ(head.form, HeadForm::raw5d);
  EXPECT_THAT(head.strides, ElementsAre(8, 16));
}

TEST(FindHead, SeesThroughQuantizers) {
  const Graph graph = graph::parse(R"(
      input images float32[1,3,64,64]
      codes = int8[21,3,8,8] {1}
      scale = float32[] {0.5}
      zero = int8[] {0}
      q = QuantizeLinear(images, scale, zero)
      x = DequantizeLinear(q, scale, zero)
      weight = DequantizeLinear(codes, scale, zero)
      y = Conv(x, weight) strides=[8,8]
      return y)");

  const Head head = find_head(graph, kHints);

  EXPECT_EQ(head.class_count, 2);
  EXPECT_THAT(head.strides, ElementsAre(8));
}

TEST(FindHead, TakesTheUsersWordWhereTheFileIsSilent) {
  const Head head = find_head(one_level(), kHints);

  EXPECT_EQ(head.names, kHints.names);
  EXPECT_EQ(head.anchors, kHints.anchors);
}

TEST(FindHead, TheFilesWordComesFirst) {
  Graph graph = one_level();
  graph.metadata["names"] = "{0: 'car', 1: 'bus'}";

  EXPECT_THAT(find_head(graph, kHints).names, ElementsAre("car", "bus"));
}

TEST(FindHead, AsksForWhatNobodySaid) {
  EXPECT_THAT(message_of(one_level()), HasSubstr("--anchors and --data"));
  EXPECT_THAT(message_of(one_level(), {.names = {"a", "b"}}), HasSubstr("with --anchors"));
  EXPECT_THAT(message_of(one_level(), {.anchors = kHints.anchors}), HasSubstr("2 'names:'"));
}

TEST(FindHead, RefusesWhatContradictsTheHead) {
  EXPECT_THAT(message_of(one_level(), {.names = {"a"}, .anchors = kHints.anchors}),
              HasSubstr("has 2 classes, but the data set names 1"));
  Anchors two_levels = kHints.anchors;
  two_levels.push_back(two_levels.front());
  EXPECT_THAT(message_of(one_level(), {.names = {"a", "b"}, .anchors = two_levels}),
              HasSubstr("on 2 levels"));
}

TEST(FindHead, CountsLevelsAndListsWhereListsAreMissing) {
  Graph graph = model::emit(test::tiny_model());
  graph.metadata.clear();
  const HeadHints one_list{.anchors = {kHints.anchors.front()}};

  EXPECT_THAT(message_of(graph, one_list), HasSubstr("3 levels, 1 list in --anchors"));
}

TEST(FindHead, RefusesModelsWithoutOne) {
  const std::string classifier = R"(
      input images float32[1,3,64,64]
      weight = float32[1000,3,64,64] {0.5}
      y = Conv(images, weight)
      scores = Flatten(y)
      return scores)";
  const std::string segmenter = R"(
      input images float32[1,3,64,64]
      weight = float32[21,3,1,1] {0.5}
      y = Conv(images, weight)
      return y)";
  // The shape of YOLOv8's: [N, 4 + classes, boxes].
  const std::string transposed = R"(
      input images float32[1,3,64,64]
      weight = float32[84,3,8,8] {0.5}
      shape = int64[3] {1,84,64}
      y = Conv(images, weight) strides=[8,8]
      z = Reshape(y, shape)
      return z)";

  for (const std::string& text : {classifier, segmenter, transposed}) {
    EXPECT_THAT(message_of(graph::parse(text), kHints), HasSubstr("no YOLOv5 detection head"));
  }
  EXPECT_THAT(message_of(graph::parse(transposed), kHints), HasSubstr("'z' [1, 84, 64]"));
  EXPECT_THAT(message_of(Graph{}), HasSubstr("the outputs are none"));
}

TEST(FindHead, KnowsTheFilesOfEveryExporter) {
  const test::TemporaryFolder folder;
  const auto made = test::run_python("tests/data/foreign/make_foreign.py", {folder.path()});
  ASSERT_EQ(made.status, 0) << made.errors;
  const json expected = json::parse(read_file(folder / "expected.json"));
  ASSERT_GT(expected.size(), 10u);

  for (const auto& [name, about] : expected.items()) {
    SCOPED_TRACE(name);
    const Graph graph = onnx::read_model(folder / (name + ".onnx"));
    const bool decoded = about["head"] == "decoded";
    const Anchors anchors{
        {{1, 2}, {3, 4}, {5, 6}}, {{1, 2}, {3, 4}, {5, 6}}, {{1, 2}, {3, 4}, {5, 6}}};

    const Head head = find_head(graph, {.names = {"a", "b", "c"}, .anchors = anchors});

    EXPECT_EQ(head.form, decoded ? HeadForm::decoded : HeadForm::raw5d);
    EXPECT_EQ(head.class_count, 3);
    EXPECT_EQ(head.outputs, decoded ? std::vector<std::string>{about["outputs"][0]}
                                    : about["heads"].get<std::vector<std::string>>());
    EXPECT_EQ(head.strides, about["strides"].get<std::vector<int>>());
    EXPECT_EQ(head.anchors, about["anchors"].is_null() ? anchors : about["anchors"].get<Anchors>());
    EXPECT_EQ(head.names, about["classes"].is_null()
                              ? (std::vector<std::string>{"a", "b", "c"})
                              : about["classes"].get<std::vector<std::string>>());
  }
}

}  // namespace
}  // namespace yoloq::detect
