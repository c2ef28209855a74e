// SPDX-License-Identifier: Apache-2.0
#include "quantize/keep_float.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Plan two_planned_layers() {
  return {.target = "tensorrt",
          .layers = {{.id = 0, .name = "first"}, {.id = 1, .name = "second"}},
          .activations = {{.tensor = "x", .readers = {"first:0"}},
                          {.tensor = "a", .readers = {"second:0", "add:1"}}},
          .weights = {{.tensor = "w1", .layer = "first"}, {.tensor = "w2", .layer = "second"}}};
}

TEST(KeepFloat, TakesWeightAndReadsAndNotTheResidual) {
  Plan plan = two_planned_layers();

  keep_float(plan, "second", "because");

  EXPECT_EQ(plan.layers[1].precision, Precision::fp32);
  EXPECT_EQ(plan.layers[1].why, "because");
  EXPECT_EQ(plan.int8_layers(), 1);
  ASSERT_THAT(plan.activations, SizeIs(2));
  EXPECT_THAT(plan.activations[1].readers, ElementsAre("add:1"));
  ASSERT_THAT(plan.weights, SizeIs(1));
  EXPECT_EQ(plan.weights[0].layer, "first");
}

TEST(KeepFloat, DropsAnActivationThatNobodyReadsAnyMore) {
  Plan plan = two_planned_layers();

  keep_float(plan, "first", "because");

  ASSERT_THAT(plan.activations, SizeIs(1));
  EXPECT_EQ(plan.activations[0].tensor, "a");
}

TEST(KeepFloat, TakesThePlansFloatType) {
  Plan plan = two_planned_layers();
  plan.float_type = Precision::fp16;

  keep_float(plan, "first", "because");

  EXPECT_EQ(plan.layers[0].precision, Precision::fp16);
}

TEST(KeepFloat, OfAnUnknownLayerIsRefused) {
  Plan plan = two_planned_layers();
  EXPECT_THROW(keep_float(plan, "third", "because"), Error);
}

}  // namespace
}  // namespace yoloq::quantize
