// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/execute.h"
#include "graph/shapes.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "sensitivity/one_layer.h"
#include "sensitivity/two_layers.h"

namespace yoloq::sensitivity {
namespace {

using testing::ElementsAre;

graph::Graph with_weight(graph::Graph graph, const std::string& name, float value) {
  graph.constants[name] = Tensor::of<float>({1, 1, 1, 1}, std::vector{value});
  return graph;
}

TEST(Difference, IsWhatDependsOnTheChangeAndReadsTheRest) {
  const graph::Graph base = test::two_layers();

  const Difference part = difference(base, with_weight(base, "w2", 4));

  graph::verify(part.graph);
  EXPECT_THAT(part.inputs, ElementsAre("a"));
  EXPECT_THAT(part.outputs, ElementsAre(0));
  EXPECT_EQ(graph::to_text(part.graph),
            "input a_nhwc float32[1,1,1,1]\n"
            "a = Transpose(a_nhwc) perm=[0,3,1,2]\n"
            "b = Conv(a, w2) @second\n"
            "sum = Add(b, a) @add\n"
            "return sum float32[1,1,1,1]\n");
}

TEST(Difference, OfTheFirstLayerIsAllAndReadsTheImageAsItIs) {
  const graph::Graph base = test::two_layers();

  const Difference part = difference(base, with_weight(base, "w1", 4));

  EXPECT_THAT(part.inputs, ElementsAre("x"));
  EXPECT_THAT(part.outputs, ElementsAre(0, 1));
  EXPECT_EQ(part.graph.inputs, base.inputs);
  EXPECT_EQ(part.graph.node_count(), base.node_count());
}

TEST(Difference, OfAQuantizedLayerGivesWhatTheWholeVariantGives) {
  const graph::Graph base = test::two_layers();
  const auto input = Tensor::of<float>({1, 1, 1, 1}, std::vector{1.3f});
  const graph::Graph variant = with_only_layer_quantized(base, test::two_layer_plan(), "second");

  const Difference part = difference(base, variant);

  EXPECT_THAT(part.inputs, ElementsAre("a"));
  const auto a = Tensor::of<float>({1, 1, 1, 1}, std::vector{2.3f});
  EXPECT_EQ(graph::execute(part.graph, {{"a_nhwc", a}}).at("sum"),
            graph::execute(variant, {{"x", input}}).at("sum"));
}

TEST(Difference, TurnsFeatureMapsToWhereTheChannelsComeFirst) {
  graph::Graph base = graph::parse(R"(
      input x float32[1,2,1,3]
      w = float32[1,2,1,1] {1.0,10.0}
      r = Relu(x)
      y = Conv(r, w) @conv
      return y)");
  graph::infer_shapes(base);
  graph::Graph variant = base;
  variant.constants["w"] = Tensor::of<float>({1, 2, 1, 1}, std::vector{1.0f, 100.0f});

  const Difference part = difference(base, variant);

  const auto r = Tensor::of<float>({1, 1, 3, 2}, std::vector{1.f, 2.f, 3.f, 4.f, 5.f, 6.f});
  EXPECT_THAT(graph::execute(part.graph, {{"r_nhwc", r}}).at("y").to_floats(),
              ElementsAre(1 + 200, 3 + 400, 5 + 600));
}

TEST(Difference, NeedsOneAndTheSameOutputs) {
  const graph::Graph base = test::two_layers();
  graph::Graph fewer = base;
  fewer.outputs.pop_back();

  EXPECT_THROW(difference(base, base), Error);
  EXPECT_THROW(difference(base, fewer), Error);
}

}  // namespace
}  // namespace yoloq::sensitivity
