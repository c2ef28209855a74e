// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/subject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "graph/text.h"
#include "sensitivity/detection_error.h"

namespace yoloq::sensitivity {
namespace {

using testing::ElementsAre;

/// Two levels of one anchor and one class on an image of 32 x 32; the coarse one is computed first.
pipeline::DetectionModel coarse_first() {
  pipeline::DetectionModel model{.name = "coarse first"};
  model.graph = graph::parse(R"(
      input images float32[1,3,32,32]
      coarse = Conv(images, w) strides=[16,16] @a
      fine = Conv(images, w) strides=[8,8] @b
      return fine, coarse)");
  model.graph.constants["w"] = Tensor::of<float>({6, 3, 1, 1}, std::vector<float>(18));
  model.size = {32, 32};
  model.head.anchors = {{{10, 13}}, {{30, 61}}};
  model.head.class_count = 1;
  return model;
}

TEST(BaseGraphToHeads, PutsTheFineHeadFirstAsAnchorsAre) {
  const graph::Graph base = base_graph_to_heads(coarse_first());

  EXPECT_THAT(base.outputs, ElementsAre(testing::Field(&graph::Port::name, "fine"),
                                        testing::Field(&graph::Port::name, "coarse")));
  const std::vector<Level> levels = levels_of(coarse_first(), base);
  EXPECT_EQ(levels[0].stride, 8);
  EXPECT_EQ(levels[0].anchors[0][1], 13);
  EXPECT_EQ(levels[1].stride, 16);
}

}  // namespace
}  // namespace yoloq::sensitivity
