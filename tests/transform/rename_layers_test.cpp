// SPDX-License-Identifier: Apache-2.0
#include "transform/rename_layers.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;

struct Renamed {
  const char* why;
  const char* node;  ///< Its first line may define constants.
  const char* name;
};

void PrintTo(const Renamed& row, std::ostream* out) { *out << row.why; }

class RenameLayers : public testing::TestWithParam<Renamed> {};

TEST_P(RenameLayers, GivesTheNameOfTheModule) {
  Graph graph = parse(std::string(GetParam().node) + "\nreturn y");

  EXPECT_EQ(rename_layers(graph), 1);

  EXPECT_EQ(graph[graph.nodes().back()].name, GetParam().name);
  EXPECT_EQ(rename_layers(graph), 0);
}

constexpr Renamed kRenamed[] = {
    {"FromItsWeight", "y = Conv(x, model.2.cv1.conv.weight) @Conv_17", "model.2.cv1.conv"},
    {"FromItsPath", "y = Conv(x, \"onnx::Conv_235\") @/model.2/cv1/conv/Conv", "model.2.cv1.conv"},
    {"FromAPathWithAContainer", "y = Conv(x, w) @/model.4/m/m.0/cv1/conv/Conv",
     "model.4.m.0.cv1.conv"},
    {"OfTheHead", "y = Conv(x, w) @/model.24/m.1/Conv", "model.24.m.1"},
    {"FromAQuantizedWeight", R"(
        q = QuantizeLinear(model.0.conv.weight, s)
        d = DequantizeLinear(q, s)
        y = Conv(x, d) @Conv_0)",
     "model.0.conv"},
    {"WithoutAName", "y = Conv(x, model.9.cv1.conv.weight)", "model.9.cv1.conv"},
    {"OrOfItsOutputWithoutAnyHint", "y = Conv(x, w)", "y"},
    {"WithANumberIfTwoAreAlike", "z = Conv(x, v) @conv\ny = Conv(z, w) @conv", "conv_1"},
};

INSTANTIATE_TEST_SUITE_P(Of, RenameLayers, testing::ValuesIn(kRenamed),
                         [](const auto& row) { return row.param.why; });

class RenameLayersLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(RenameLayersLeavesAlone, TheGraph) {
  Graph graph = parse(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(rename_layers(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kRenameLayersLeaves[] = {
    {"NothingNamesAModule", "y = Conv(x, \"onnx::Conv_235\") @Conv_17\nreturn y"},
    {"ItHasTheName", "y = Conv(x, model.0.conv.weight) @model.0.conv\nreturn y"},
    {"TheNameIsTaken",
     "y = Conv(x, model.0.conv.weight) @Conv_0\nz = Relu(y) @model.0.conv\nreturn z"},
    {"ItIsNoConv", "y = MatMul(x, model.0.fc.weight) @/model.0/fc/MatMul\nreturn y"},
    {"ThePathIsTheOperatorOnly", "y = Conv(x, w) @/Conv\nreturn y"},
    {"ThePathEndsInAnotherOperator", "y = Conv(x, w) @/model.0/conv/Relu\nreturn y"},
    {"TheWeightHasNoModule", "y = Conv(x, \"my weight.weight\") @Conv_0\nreturn y"},
};

INSTANTIATE_TEST_SUITE_P(When, RenameLayersLeavesAlone, testing::ValuesIn(kRenameLayersLeaves),
                         [](const auto& row) { return row.param.why; });

TEST(RenameLayersOfASharedWeight, NamesTheFirst) {
  Graph graph = parse(R"(
      y = Conv(x, model.0.conv.weight) @Conv_0
      z = Conv(y, model.0.conv.weight) @Conv_1
      return z)");

  EXPECT_EQ(rename_layers(graph), 1);
  EXPECT_EQ(graph[graph.nodes()[0]].name, "model.0.conv");
  EXPECT_EQ(graph[graph.nodes()[1]].name, "Conv_1");
}

TEST(NameNodes, GivesEachNodeANameThatNoOtherHas) {
  Graph graph = parse(R"(
      a = Relu(x)
      b = Sigmoid(a) @node
      c = Conv(b, w) @node
      d = Add(b, c) @Add
      e = Add(c, d) @Add
      f = Add(d, e) @Add_1
      return e, f)");

  EXPECT_EQ(name_nodes(graph), 3);

  EXPECT_EQ(graph::to_text(graph), to_text(parse(R"(
      a = Relu(x) @a
      b = Sigmoid(a) @node_1
      c = Conv(b, w) @node
      d = Add(b, c) @Add
      e = Add(c, d) @Add_2
      f = Add(d, e) @Add_1
      return e, f)")));
  EXPECT_EQ(name_nodes(graph), 0);
}

}  // namespace
}  // namespace yoloq::transform
