// SPDX-License-Identifier: Apache-2.0
#include "pipeline/float_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"

namespace yoloq::pipeline {
namespace {

using quantize::Precision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two convolutions whose second one's bound, 300 * 300, does not fit.
graph::Graph wide_model() {
  return graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32[1,1,1,1] {300.0}
      y = Conv(x, w) @first
      z = Conv(y, w) @second
      return z)");
}

/// Says that each tensor was seen between 0 and `high`.
Observe seeing(float high, std::vector<std::string>& asked) {
  return [high, &asked](const std::vector<std::string>& tensors) {
    asked = tensors;
    calibrate::Ranges ranges;
    for (const std::string& tensor : tensors) ranges.tensors[tensor].max = high;
    return ranges;
  };
}

TEST(NodesBeyondHalf, WithoutImagesABoundThatDoesNotFitDecides) {
  const auto nodes = nodes_beyond_half(wide_model());

  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].name, "second");
  EXPECT_EQ(nodes[0].why, "'z' may reach 90000; float16 ends at 65504");
}

TEST(NodesBeyondHalf, ImagesAreAskedOnlyForWhatDoesNotFit) {
  std::vector<std::string> asked;

  EXPECT_THAT(nodes_beyond_half(wide_model(), seeing(60000 / kRangeSafety, asked)), IsEmpty());
  EXPECT_THAT(asked, ElementsAre("z"));
}

TEST(NodesBeyondHalf, WhatWasSeenHasToFitWithASafetyFactor) {
  std::vector<std::string> asked;

  EXPECT_EQ(nodes_beyond_half(wide_model(), seeing(60000 / kRangeSafety + 1, asked)).size(), 1u);
}

TEST(KeepWideNodesInFp32, EntersThemIntoThePlan) {
  quantize::Plan plan{
      .float_type = Precision::fp16,
      .layers = {
          {.id = 0, .name = "first", .precision = Precision::fp16, .why = "--skip-layers"},
          {.id = 1, .name = "second", .precision = Precision::fp16, .why = "--skip-layers"}}};

  keep_wide_nodes_in_fp32(wide_model(), plan);

  EXPECT_EQ(plan.layers[0].precision, Precision::fp16);
  EXPECT_EQ(plan.layers[1].precision, Precision::fp32);
  EXPECT_THAT(plan.layers[1].why, HasSubstr("--skip-layers; 'z' may reach 90000"));
  EXPECT_EQ(plan.fp32_nodes.size(), 1u);
}

TEST(KeepWideNodesInFp32, AQuantizerInFrontBoundsALayer) {
  quantize::Plan plan{
      .float_type = Precision::fp16,
      .layers = {{.id = 0, .name = "first", .precision = Precision::fp16},
                 {.id = 1, .name = "second", .precision = Precision::fp16}},
      .activations = {{.tensor = "y", .quantizer = {DType::i8, 1.0f, 0}, .readers = {"second:0"}}}};

  keep_wide_nodes_in_fp32(wide_model(), plan);  // 127 * 300 fits.

  EXPECT_THAT(plan.fp32_nodes, IsEmpty());
}

}  // namespace
}  // namespace yoloq::pipeline
