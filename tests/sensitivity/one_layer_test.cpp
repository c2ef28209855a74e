// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/one_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/execute.h"
#include "sensitivity/two_layers.h"

namespace yoloq::sensitivity {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(OnlyLayer, KeepsItsWeightAndItsReadOfTheInput) {
  const quantize::Plan plan = only_layer(test::two_layer_plan(), "second");

  ASSERT_THAT(plan.activations, SizeIs(1));
  EXPECT_EQ(plan.activations[0].tensor, "a");
  EXPECT_THAT(plan.activations[0].readers, ElementsAre("second:0"));
  ASSERT_THAT(plan.weights, SizeIs(1));
  EXPECT_EQ(plan.weights[0].layer, "second");
  EXPECT_EQ(plan.int8_layers(), 1);
}

TEST(OnlyLayer, OfALayerThatThePlanLeavesFloatIsRefused) {
  EXPECT_THROW(only_layer(test::two_layer_plan(), "third"), Error);
  quantize::Plan plan = test::two_layer_plan();
  plan.activations[1].on = false;
  EXPECT_THROW(only_layer(plan, "second"), Error);
}

TEST(WithOnlyLayerQuantized, RoundsInputAndWeightOfThatLayerAlone) {
  // second: a has the scale 0.5, its weight 3 the scale 2, so that 3 becomes 4; a = 1.3 + 1 = 2.3
  // becomes 2.5. The residual Add still reads 2.3.
  const graph::Graph graph =
      with_only_layer_quantized(test::two_layers(), test::two_layer_plan(), "second");

  const auto outputs =
      graph::execute(graph, {{"x", Tensor::of<float>({1, 1, 1, 1}, std::vector{1.3f})}});

  EXPECT_THAT(outputs.at("sum").to_floats(), ElementsAre(testing::FloatEq(2.5f * 4 + 2.3f)));
  EXPECT_THAT(outputs.at("other").to_floats(), ElementsAre(testing::FloatEq(2.3f * 10)));
}

}  // namespace
}  // namespace yoloq::sensitivity
