// SPDX-License-Identifier: Apache-2.0
#include "model/take_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "model/emit.h"
#include "model/read_yaml.h"
#include "support/message.h"

namespace yoloq::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

graph::Graph pico_graph(std::uint64_t seed, int class_count) {
  return emit(read_model_yaml("yolov5p.yaml", {.class_count = class_count, .seed = seed}));
}

/// One convolution whose constants are named as a checkpoint's.
graph::Graph one_layer(const std::string& weight) {
  return graph::parse(R"(
      input x float32[1,1,2,2]
      w = float32)" + weight +
                      R"(
      b = float32[2] {7}
      scales = float32[4] {2}
      y = Conv(x, w, b) @model.0
      z = Resize(y, , scales)
      return z)");
}

TEST(TakeWeights, TakesAllButTheHeadWhereClassesAreOthers) {
  graph::Graph graph = pico_graph(1, 4);
  const graph::Graph before = graph;
  const graph::Graph trained = pico_graph(2, 80);

  const TakenWeights taken = take_weights(graph, trained);

  // 60 weights of convolutions, 3 biases and 57 * 4 of BatchNormalization; 3 heads have 2 each.
  EXPECT_EQ(taken, (TakenWeights{.taken = 291 - 6, .all = 291}));
  for (const auto& [name, tensor] : graph.constants) {
    const bool is_head = name.starts_with("model.24.");
    EXPECT_EQ(tensor, (is_head ? before : trained).constants.at(name)) << name;
  }
  EXPECT_EQ(graph.metadata, before.metadata);
  EXPECT_EQ(graph.outputs, before.outputs);
}

TEST(TakeWeights, TakesTheHeadTooWhereClassesAreAsMany) {
  graph::Graph graph = pico_graph(1, 4);

  const TakenWeights taken = take_weights(graph, pico_graph(2, 4));

  EXPECT_EQ(taken, (TakenWeights{.taken = 291, .all = 291}));
  EXPECT_EQ(graph, pico_graph(2, 4));
}

TEST(TakeWeights, LeavesOtherShapesAndConstantsThatAreNoWeightsAlone) {
  graph::Graph graph = one_layer("[2,1,1,1] {1,2}");
  graph::Graph trained = one_layer("[2,1,1,1] {3,4}");
  trained.constants.at("b") = Tensor::list(std::vector<float>{5, 6, 7});
  trained.constants.at("scales") = Tensor::list(std::vector<float>{1, 1, 4, 4});

  const TakenWeights taken = take_weights(graph, trained);

  EXPECT_EQ(taken, (TakenWeights{.taken = 1, .all = 2}));
  EXPECT_THAT(graph.constant("w")->values<float>(), ElementsAre(3, 4));
  EXPECT_THAT(graph.constant("b")->values<float>(), ElementsAre(7, 7));
  EXPECT_THAT(graph.constant("scales")->values<float>(), ElementsAre(2, 2, 2, 2));
}

TEST(TakeWeights, SaysThatNothingFitsAndLeavesTheModelAlone) {
  graph::Graph graph = one_layer("[2,1,1,1] {1,2}");
  const graph::Graph before = graph;
  graph::Graph trained = one_layer("[2,1,3,3] {3}");
  trained.constants.at("b") = Tensor::list(std::vector<float>{5, 6, 7});

  EXPECT_THAT(test::message_when([&] { take_weights(graph, trained); }),
              StartsWith("none of its tensors has the name and shape of one of the model's 2"));
  EXPECT_EQ(graph, before);
}

TEST(TakeWeights, RefusesConvolutionsThatBatchNormalizationIsFoldedInto) {
  graph::Graph graph = pico_graph(1, 4);

  EXPECT_THAT(test::message_when([&] { take_weights(graph, one_layer("[2,1,1,1] {1,2}")); }),
              HasSubstr("BatchNormalization is folded"));
}

}  // namespace
}  // namespace yoloq::model
