// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/network.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "graph/text.h"
#include "quantize/apply.h"
#include "runtime/engine.h"
#include "runtime/oracle.h"
#include "runtime/torch/tensors.h"
#include "runtime/verify.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::runtime::torch {
namespace {

/// Of the largest value: the order of float32 sums over some sixty layers.
constexpr double kTolerance = 1e-4;

std::vector<Tensor> run_torch(const graph::Graph& graph, const Tensor& image) {
  return run(*runtime::compile(graph, {.backend = "torch"}), {{image}});
}

TEST(Network, GivesTheReferenceOutputsOfRealCheckpoints) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  for (const std::string name : {"yolov5n-ppe", "yolov5s-v5.0-random"}) {
    const auto arrays = test::read_npz(*data / "reference" / (name + ".320.npz"));
    const graph::Graph graph =
        checkpoint::load_graph(*data / "weights" / (name + ".pt"),
                               {.height = 320, .width = 320, .head = model::Head::decoded});

    const auto outputs = run_torch(graph, arrays.at("images"));

    EXPECT_LT(test::relative_difference(arrays.at("decoded"), outputs[0]), kTolerance) << name;
  }
}

/// A block with everything that training meets: x -> conv, norm, SiLU -> conv, added to what went
/// in -> concat -> upsampled, pooled.
graph::Graph block() {
  graph::Graph graph = graph::parse(R"(
      input x float32[2,4,8,8]
      c = Conv(x, w1) pads=[1,1,1,1] @first
      n = BatchNormalization(c, gamma, beta, mean, var) epsilon=0.001 @norm
      s = Sigmoid(n)
      a = Mul(n, s) @silu
      d = Conv(a, w2, b2) @second
      r = Add(x, d) @residual
      t = Concat(r, a) axis=1 @concat
      e = Conv(t, w3) @third
      return e)");
  graph.constants["w1"] = test::random_tensor({4, 4, 3, 3}, 1);
  graph.constants["w2"] = test::random_tensor({4, 4, 1, 1}, 2);
  graph.constants["b2"] = test::random_tensor({4}, 3);
  graph.constants["w3"] = test::random_tensor({2, 8, 1, 1}, 4);
  graph.constants["gamma"] = Tensor::list<float>({1.0f, 0.5f, 2.0f, 1.5f});
  graph.constants["beta"] = test::random_tensor({4}, 6);
  graph.constants["mean"] = test::random_tensor({4}, 7);
  graph.constants["var"] = Tensor::list<float>({0.5f, 1.0f, 2.0f, 0.7f});
  std::erase_if(graph.inputs, [](const graph::Port& port) { return port.name != "x"; });
  return graph;
}

TEST(Network, ComputesBlocksAsOnnxRuntimeDoes) {
  const Tensor image = test::random_tensor({2, 4, 8, 8}, 9);

  const auto outputs = run_torch(block(), image);

  EXPECT_LT(test::relative_difference(test::run_in_onnxruntime(block(), {image})[0], outputs[0]),
            1e-5);
}

TEST(Network, GivesGradientsToItsConstants) {
  Network network(block());
  for (auto& [name, tensor] : network.constants()) {
    if (name != "mean" && name != "var") tensor.set_requires_grad(true);
  }
  const at::Tensor image = to_torch(test::random_tensor({2, 4, 8, 8}, 9));
  const auto loss = [&] { return network.run({{image}})[0].square().mean(); };

  loss().backward();

  for (const std::string name : {"w1", "b2", "gamma", "beta", "w3"}) {
    at::Tensor& tensor = network.constants().at(name);
    ASSERT_TRUE(tensor.grad().defined()) << name;
    // A central difference of the first element.
    const c10::NoGradGuard guard;
    at::Tensor first = tensor.view({-1})[0];
    const float step = 1e-2f;
    first.add_(step);
    const double up = loss().item<double>();
    first.sub_(2 * step);
    const double down = loss().item<double>();
    first.add_(step);
    EXPECT_NEAR(tensor.grad().view({-1})[0].item<double>(), (up - down) / (2 * step),
                2e-2 * std::abs((up - down) / (2 * step)) + 1e-4)
        << name;
  }
}

TEST(Network, MovesRunningStatisticsOnlyWhenAsked) {
  Network network(block());
  const at::Tensor image = to_torch(test::random_tensor({2, 4, 8, 8}, 9));
  const at::Tensor before = network.constants().at("mean").clone();

  network.run({{image}});
  const at::Tensor after_inference = network.constants().at("mean").clone();
  network.run({{image}}, {.batch_statistics = true});
  const at::Tensor after_training = network.constants().at("mean");

  EXPECT_TRUE(at::equal(before, after_inference));
  const at::Tensor batch_mean =
      at::conv2d(image, network.constants().at("w1"), {}, {1, 1}, {1, 1}).mean({0, 2, 3});
  EXPECT_TRUE(at::allclose(after_training, before * 0.97 + batch_mean * 0.03, 1e-4, 1e-5));
}

quantize::Plan plan_of_block() {
  quantize::Plan plan;
  const auto activation = [&](const char* tensor, float scale, std::vector<std::string> readers) {
    plan.activations.push_back(
        {.tensor = tensor, .quantizer = {DType::i8, scale, 0}, .readers = std::move(readers)});
  };
  activation("x", 0.01f, {"first:0", "residual:0"});
  activation("a", 0.03f, {"second:0"});
  activation("t", 0.05f, {"third:0"});
  for (const auto& [tensor, layer, channels] :
       {std::tuple{"w1", "first", 4}, {"w2", "second", 4}, {"w3", "third", 2}}) {
    quantize::WeightPlan weight;
    weight.tensor = tensor;
    weight.layer = layer;
    for (int i = 0; i < channels; ++i) weight.scales.push_back(0.008f + 0.001f * i);
    plan.weights.push_back(weight);
  }
  return plan;
}

TEST(Network, FakeQuantizesWhatTheQdqFileSays) {
  const Tensor image = test::random_tensor({2, 4, 8, 8}, 9);
  const graph::Graph file = quantize::apply(block(), plan_of_block());
  Network network(block());

  network.quantize(plan_of_block());
  const Tensor mine = from_torch(network.run({{to_torch(image)}})[0]);

  EXPECT_LT(test::relative_difference(test::run_in_onnxruntime(file, {image})[0], mine), 1e-5);
  EXPECT_LT(test::relative_difference(run_torch(file, image)[0], mine), 1e-5);
}

TEST(Network, ComputesInFloatWithoutItsQuantizers) {
  const at::Tensor image = to_torch(test::random_tensor({2, 4, 8, 8}, 9));
  Network plain(block());
  Network network(block());
  network.quantize(plan_of_block());

  network.enable_quantizers(false);

  EXPECT_TRUE(at::equal(network.run({{image}})[0], plain.run({{image}})[0]));
}

TEST(Network, FusesASiluThatIsOnlyReadQuantized) {
  quantize::Plan plan = plan_of_block();
  plan.activations[1].readers = {"second:0", "concat:1"};
  const Tensor image = test::random_tensor({2, 4, 8, 8}, 9);
  Network network(block());

  network.quantize(plan);
  const Tensor mine = from_torch(network.run({{to_torch(image)}})[0]);
  const Tensor file = run_torch(quantize::apply(block(), plan), image)[0];

  EXPECT_LT(test::relative_difference(file, mine), 1e-5);
}

TEST(Network, GivesGradientsToScales) {
  Network network(block());
  network.quantize(plan_of_block());
  for (auto& [name, quantizer] : network.quantizers()) quantizer.scale.set_requires_grad(true);

  network.run({{to_torch(test::random_tensor({2, 4, 8, 8}, 9))}})[0].square().sum().backward();

  for (const auto& [name, quantizer] : network.quantizers()) {
    ASSERT_TRUE(quantizer.scale.grad().defined()) << name;
    EXPECT_GT(quantizer.scale.grad().abs().sum().item<double>(), 0) << name;
  }
}

TEST(Network, RefusesAPlanOfAnotherModel) {
  quantize::Plan plan = plan_of_block();
  plan.activations[0].tensor = "elsewhere";
  quantize::Plan other = plan_of_block();
  other.activations[1].readers = {"third:0"};
  Network network(block());

  EXPECT_THROW(network.quantize(plan), Error);
  EXPECT_THROW(network.quantize(other), Error);
}

}  // namespace
}  // namespace yoloq::runtime::torch
