// SPDX-License-Identifier: Apache-2.0
#include "pipeline/training_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "model/emit.h"
#include "onnx/model_file.h"
#include "pipeline/model.h"
#include "pipeline/state_dict.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"
#include "support/tiny_model.h"
#include "transform/passes.h"

namespace yoloq::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

graph::Graph tiny_graph() {
  return model::emit(test::tiny_model(),
                     {.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
}

/// One convolution and its scales.
quantize::Plan plan_of_first(std::vector<float> scales) {
  quantize::Plan plan{.target = "tensorrt"};
  plan.layers.push_back({.id = 0, .name = "model.0.conv", .why = "test"});
  quantize::WeightPlan weight{.tensor = "model.0.conv.weight", .layer = "model.0.conv"};
  weight.scales = std::move(scales);
  plan.weights.push_back(weight);
  plan.activations.push_back(
      {.tensor = "images", .quantizer = {DType::i8, 0.004f, 0}, .readers = {"model.0.conv:0"}});
  return plan;
}

TrainingCheckpoint full() {
  TrainingCheckpoint checkpoint{.model = tiny_graph()};
  checkpoint.plan = plan_of_first(std::vector<float>(8, 0.01f));
  checkpoint.state = {{"momentum/w", Tensor::list<float>({1, 2})},
                      {"steps", Tensor::scalar<std::int64_t>(7)}};
  checkpoint.training = R"({"epochs_done": 1})";
  return checkpoint;
}

TEST(TrainingCheckpoint, GivesBackWhatWasWritten) {
  const TrainingCheckpoint written = full();

  const TrainingCheckpoint read = parse_training_checkpoint(serialize(written));

  EXPECT_EQ(read.model.constants, written.model.constants);
  EXPECT_EQ(read.model.metadata, written.model.metadata);
  EXPECT_EQ(read.model.node_count(), written.model.node_count());
  EXPECT_EQ(read.plan, written.plan);
  EXPECT_EQ(read.state, written.state);
  EXPECT_EQ(read.training, written.training);
}

TEST(TrainingCheckpoint, GivesTheSameBytesAgain) {
  const std::string bytes = serialize(full());

  EXPECT_TRUE(serialize(parse_training_checkpoint(bytes)) == bytes);
}

TEST(TrainingCheckpoint, HasNoPlanOfAFloatModel) {
  TrainingCheckpoint checkpoint = full();
  checkpoint.plan.reset();

  const TrainingCheckpoint read = parse_training_checkpoint(serialize(checkpoint));

  EXPECT_FALSE(read.plan.has_value());
  EXPECT_FALSE(deployed_plan(read).has_value());
}

TEST(TrainingCheckpoint, IsAnOnnxFile) { EXPECT_NO_THROW(onnx::parse(serialize(full()))); }

TEST(TrainingCheckpoint, RefusesOtherFiles) {
  EXPECT_THAT(test::message_when([] { parse_training_checkpoint(onnx::serialize(tiny_graph())); }),
              HasSubstr("no checkpoint of yoloq's training"));
  EXPECT_THROW(parse_training_checkpoint("garbage"), Error);
  EXPECT_THROW(parse_training_checkpoint(""), Error);
  const std::string bytes = serialize(full());
  for (const std::size_t length : {bytes.size() / 3, bytes.size() - 5}) {
    EXPECT_THROW(parse_training_checkpoint(bytes.substr(0, length)), Error) << length;
  }
}

TEST(TrainingCheckpoint, IsNamedWhereItCannotBeRead) {
  const test::TemporaryFolder folder;
  write_file(folder / "odd.ckpt", "garbage");

  EXPECT_THAT(test::message_when([&] { read_training_checkpoint(folder / "odd.ckpt"); }),
              HasSubstr("odd.ckpt"));
  EXPECT_THAT(test::message_when([&] { read_training_checkpoint(folder / "none.ckpt"); }),
              HasSubstr("none.ckpt"));
}

TEST(TrainingCheckpoint, IsDeployedWithoutItsState) {
  const graph::Graph graph = deployed(full());

  for (const auto& [name, tensor] : graph.constants) EXPECT_THAT(name, Not(HasSubstr("yoloq.")));
  for (const auto& [key, text] : graph.metadata) EXPECT_THAT(key, Not(HasSubstr("yoloq.")));
  EXPECT_TRUE(is_quantized(graph));
}

TEST(TrainingCheckpoint, RefusesOneScaleForChannelsThatFoldingScalesApart) {
  TrainingCheckpoint checkpoint = full();
  checkpoint.plan = plan_of_first({0.01f});
  checkpoint.plan->weights[0].axis = -1;

  EXPECT_THAT(test::message_when([&] { deployed(checkpoint); }), HasSubstr("model.0.conv"));
}

TEST(TrainingCheckpoint, APlanIsUnfoldedAsItsWeightsAre) {
  graph::Graph model = tiny_graph();
  const Tensor* weight = model.constant("model.0.conv.weight");
  ASSERT_NE(weight, nullptr);
  const auto channels = static_cast<std::size_t>(weight->shape()[0]);
  std::vector<float> gamma(channels, 0.5f);
  gamma[1] = -2;
  model.constants.at("model.0.bn.weight") = Tensor::list(gamma);
  quantize::Plan folded = plan_of_first(std::vector<float>(channels, 0.25f));
  std::vector<std::int8_t> codes(weight->to_floats().size(), 7);
  folded.weights[0].codes = Tensor::of(weight->shape(), codes);

  const quantize::Plan unfolded = unfolded_plan(model, folded);

  const std::size_t length = codes.size() / channels;
  const auto turned = unfolded.weights[0].codes->values<std::int8_t>();
  EXPECT_EQ(turned[0], 7);
  EXPECT_EQ(turned[length], -7);
  const auto back = deployed_plan({.model = model, .plan = unfolded});
  for (const float scale : back->weights[0].scales) EXPECT_NEAR(scale, 0.25f, 1e-7);
  EXPECT_NE(unfolded.weights[0].scales[0], 0.25f);
}

TEST(TrainingCheckpoint, LoadsAsAModelOfAnySize) {
  const test::TemporaryFolder folder;
  write_file(folder / "best.ckpt", serialize(full()));

  const DetectionModel model = load_model(folder / "best.ckpt", {.size = {{96, 64}}, .batch = 2});

  EXPECT_EQ(model.size, (vision::Size{96, 64}));
  EXPECT_EQ(model.batch, 2);
  EXPECT_EQ(model.head.class_count, 3);
  EXPECT_EQ(count_layers(model.graph).int8, 1);
}

TEST(StateDict, HasEveryWeightByPyTorchsName) {
  const graph::Graph graph = tiny_graph();

  const auto tensors = state_dict_of(graph);

  std::map<std::string, Tensor> by_name;
  for (const auto& [name, tensor] : tensors) by_name[name] = tensor;
  EXPECT_EQ(by_name.size(), tensors.size());
  for (const std::string name : {"model.0.conv.weight", "model.0.bn.weight", "model.0.bn.bias",
                                 "model.0.bn.running_mean", "model.0.bn.running_var"}) {
    ASSERT_TRUE(by_name.contains(name)) << name;
    EXPECT_EQ(by_name[name], graph.constants.at(name)) << name;
  }
  const auto anchors =
      std::ranges::find_if(tensors, [](const auto& one) { return one.name.ends_with(".anchors"); });
  ASSERT_NE(anchors, tensors.end());
  EXPECT_EQ(anchors->tensor.shape().size(), 3U);
  EXPECT_FLOAT_EQ(anchors->tensor.to_floats()[0], test::tiny_model().info.anchors[0][0][0] / 8);
}

TEST(StateDict, OfAFoldedModelIsThatOfTheFusedModule) {
  graph::Graph graph = tiny_graph();
  transform::fold_batch_norm(graph);

  const auto tensors = state_dict_of(graph);

  for (const auto& [name, tensor] : tensors) EXPECT_THAT(name, Not(HasSubstr(".bn.")));
  EXPECT_EQ(tensors.at(0).name, "model.0.conv.weight");
  EXPECT_EQ(tensors.at(1).name, "model.0.conv.bias");
}

TEST(StateDict, RefusesNamesThatPyTorchDoesNotGive) {
  graph::Graph graph = tiny_graph();
  for (const graph::NodeId id : graph.nodes()) {
    if (graph[id].op != "Conv") continue;
    const std::string name = graph[id].inputs[1];
    graph.constants["onnx::Conv_7"] = graph.constants.at(name);
    graph[id].inputs[1] = "onnx::Conv_7";
    break;
  }

  EXPECT_THAT(test::message_when([&] { state_dict_of(graph); }), HasSubstr("onnx::Conv_7"));
}

}  // namespace
}  // namespace yoloq::pipeline
