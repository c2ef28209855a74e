// SPDX-License-Identifier: Apache-2.0
#include "quantize/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

graph::Graph two_convs() {
  return graph::parse(R"(
      w0 = float32[1,1,1,1] {1.0}
      w1 = float32[1,1,1,1] {1.0}
      a = Conv(x, w0) @model.0.conv
      s = Sigmoid(a) @model.0.act
      b = Conv(s, w1) @model.24.m.0
      d = Sigmoid(b) @decode
      c = Conv(x, d) @computed.weight
      return d, c)");
}

TEST(Layers, AreConvolutionsWithConstantWeights) {
  const auto layers = quantizable_layers(two_convs());

  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].name, "model.0.conv");
  EXPECT_EQ(layers[0].input, "x");
  EXPECT_EQ(layers[1].id, 1);
  EXPECT_EQ(layers[1].weight, "w1");
}

TEST(Layers, KnowWhichOfThemFeedTheHead) {
  graph::Graph graph = two_convs();
  graph.erase(graph.nodes().back());  // The Conv with a computed weight reads the head's output.
  graph.outputs.pop_back();

  const auto layers = quantizable_layers(graph);

  EXPECT_FALSE(layers[0].feeds_head);
  EXPECT_TRUE(layers[1].feeds_head);
}

TEST(Layers, AreFoundByNameGlobAndId) {
  const auto layers = quantizable_layers(two_convs());

  EXPECT_THAT(matching_layers(layers, "model.24.m.0"), ElementsAre(1));
  EXPECT_THAT(matching_layers(layers, "model.*"), ElementsAre(0, 1));
  EXPECT_THAT(matching_layers(layers, "0"), ElementsAre(0));
}

TEST(Layers, AMissSaysWhatComesClosest) {
  const auto layers = quantizable_layers(two_convs());

  try {
    matching_layers(layers, "model.24.m.9");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), HasSubstr("the closest names are model.24.m.0, model.0.conv"));
  }
}

TEST(Layers, RefusesTwoOfOneName) {
  graph::Graph graph = two_convs();
  for (const auto id : graph.nodes()) graph[id].name = "same";

  EXPECT_THROW(quantizable_layers(graph), Error);
}

}  // namespace
}  // namespace yoloq::quantize
