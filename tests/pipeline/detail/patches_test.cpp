// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/patches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "support/message.h"

namespace yoloq::pipeline::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The only node of "y = Conv(x, w) <attributes>".
graph::Node conv(const std::string& attributes) {
  const graph::Graph graph = graph::parse("y = Conv(x, w) " + attributes + "\nreturn y");
  return graph[graph.nodes().front()];
}

/// 1, 2, 3, ...
std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

TEST(Patches, AreWhatTheKernelCovers) {
  //  1 2 3     kernel 2 x 2, no padding: four positions
  //  4 5 6
  //  7 8 9
  const PatchGeometry geometry(conv(""), {1, 1, 2, 2}, {1, 1, 3, 3}, {1, 1, 2, 2});

  const Samples samples = sample_patches(geometry, counted(9), counted(4), {});

  ASSERT_EQ(samples.patches.size(), 1u);
  EXPECT_THAT(samples.patches[0], ElementsAre(1, 2, 4, 5,  //
                                              2, 3, 5, 6,  //
                                              4, 5, 7, 8,  //
                                              5, 6, 8, 9));
  EXPECT_THAT(samples.targets[0], ElementsAre(1, 2, 3, 4));
}

TEST(Patches, AreZeroOutsideTheImageAndStep) {
  //  . . . .    kernel 3 x 1 (height x width), padding 1 above and below, stride 2
  //  1 2 3 4
  //  5 6 7 8
  const PatchGeometry geometry(conv("pads=[1,0,1,0] strides=[2,2]"), {1, 1, 3, 1}, {1, 1, 2, 4},
                               {1, 1, 1, 2});

  const Samples samples = sample_patches(geometry, counted(8), counted(2), {});

  EXPECT_THAT(samples.patches[0], ElementsAre(0, 1, 5,  //
                                              0, 3, 7));
}

TEST(Patches, SkipWhatADilatedKernelSkips) {
  const PatchGeometry geometry(conv("dilations=[1,2]"), {1, 1, 1, 2}, {1, 1, 1, 4}, {1, 1, 1, 2});

  const Samples samples = sample_patches(geometry, counted(4), counted(2), {});

  EXPECT_THAT(samples.patches[0], ElementsAre(1, 3,  //
                                              2, 4));
}

TEST(Patches, OfAGroupHoldItsChannelsAndItsOutputs) {
  // Two groups of one input channel and two outputs each, 1 x 2 pixels.
  const PatchGeometry geometry(conv("group=2"), {4, 1, 1, 1}, {1, 2, 1, 2}, {1, 4, 1, 2});
  const std::vector<float> input{1, 2, 10, 20};
  const std::vector<float> output{1, 2, 3, 4, 5, 6, 7, 8};

  const Samples samples = sample_patches(geometry, input, output, {});

  ASSERT_EQ(samples.patches.size(), 2u);
  EXPECT_THAT(samples.patches[0], ElementsAre(1, 2));
  EXPECT_THAT(samples.patches[1], ElementsAre(10, 20));
  EXPECT_THAT(samples.targets[0], ElementsAre(1, 3, 2, 4));  // Per position both outputs.
  EXPECT_THAT(samples.targets[1], ElementsAre(5, 7, 6, 8));
}

TEST(Patches, AreAsManyAsAskedForAndNoneTwice) {
  const PatchGeometry geometry(conv(""), {1, 1, 1, 1}, {1, 1, 8, 8}, {1, 1, 8, 8});

  const Samples samples = sample_patches(geometry, counted(64), counted(64), {.positions = 10});

  EXPECT_EQ(samples.patches[0].size(), 10u);
  EXPECT_EQ(samples.patches[0], samples.targets[0]);
  EXPECT_EQ(std::set<float>(samples.patches[0].begin(), samples.patches[0].end()).size(), 10u);
}

TEST(Patches, AreTheSameForTheSameSeed) {
  const PatchGeometry geometry(conv(""), {1, 1, 1, 1}, {1, 1, 8, 8}, {1, 1, 8, 8});
  const auto sample = [&](std::uint64_t seed) {
    return sample_patches(geometry, counted(64), counted(64), {.positions = 10, .seed = seed})
        .patches[0];
  };

  EXPECT_EQ(sample(1), sample(1));
  EXPECT_NE(sample(1), sample(2));
}

TEST(Patches, OfAutomaticPaddingAreRefusedByTheLayersName) {
  const graph::Node node = conv("auto_pad=SAME_UPPER @model.3.conv");

  EXPECT_THAT(test::message_when([&] {
                PatchGeometry(node, {1, 1, 1, 1}, {1, 1, 8, 8}, {1, 1, 8, 8});
              }),
              HasSubstr("model.3.conv"));
}

}  // namespace
}  // namespace yoloq::pipeline::detail
