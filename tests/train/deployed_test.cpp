// SPDX-License-Identifier: Apache-2.0
// What quantization-aware training computes with is what its checkpoint is deployed as.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "pipeline/training_checkpoint.h"
#include "runtime/engine.h"
#include "runtime/oracle.h"
#include "runtime/torch/network.h"
#include "runtime/torch/tensors.h"
#include "runtime/verify.h"
#include "train/tiny_training.h"
#include "vision/image.h"

namespace yoloq::train {
namespace {

using runtime::torch::from_torch;
using runtime::torch::to_torch;

/// Two orders of float32 sums differ in the last bits. Where a value lies between two codes, that
/// decides which it gets: one code more or less, which the layers behind it carry on. So nearly all
/// numbers agree to rounding, and few differ, by about a code.
constexpr double kRounding = 1e-5;
constexpr double kOneCode = 0.02;    ///< Of the largest value: some 1 / 128, carried on.
constexpr double kMayDiffer = 0.02;  ///< Part of the numbers.

void expect_equal_but_for_codes(const Tensor& expected, const Tensor& got,
                                const std::string& where) {
  ASSERT_EQ(expected.shape(), got.shape()) << where;
  const auto left = expected.to_floats();
  const auto right = got.to_floats();
  double largest = 0;
  for (const float value : left) largest = std::max<double>(largest, std::abs(value));
  std::size_t differing = 0;
  double worst = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double difference = std::abs(left[i] - right[i]) / largest;
    differing += difference > kRounding;
    worst = std::max(worst, difference);
  }
  const double part = static_cast<double>(differing) / static_cast<double>(left.size());
  EXPECT_LE(part, kMayDiffer) << where;
  EXPECT_LE(worst, kOneCode) << where;
}

/// The network that a Session evaluates, made anew from the checkpoint.
std::vector<Tensor> heads_in_training(const pipeline::TrainingCheckpoint& checkpoint,
                                      const Tensor& image) {
  const c10::NoGradGuard guard;
  runtime::torch::Network network(checkpoint.model);
  network.quantize(*checkpoint.plan);
  const at::Tensor input = to_torch(image);
  std::vector<Tensor> heads;
  for (const at::Tensor& head : network.run({&input, 1})) heads.push_back(from_torch(head));
  return heads;
}

Tensor some_image(const std::filesystem::path& path) {
  const vision::Image image = vision::read_image(path);
  std::vector<float> planes(static_cast<std::size_t>(3 * 64 * 64));
  for (std::size_t pixel = 0; pixel < 64 * 64; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      planes[channel * 64 * 64 + pixel] =
          static_cast<float>(image.pixels[3 * pixel + channel]) / 255.0f;
    }
  }
  return Tensor::of({1, 3, 64, 64}, planes);
}

class Deployed : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tiny_ = new test::TinyTraining();
    Job job = tiny_->job("float");
    job.recipe.epochs = 6;
    job.recipe.evaluate_every = 0;
    job.hyp.warmup_epochs = 1;
    train(job);
  }
  static void TearDownTestSuite() {
    delete tiny_;
    tiny_ = nullptr;
  }

  static std::filesystem::path trained() { return tiny_->path() / "float/last.ckpt"; }

  static pipeline::TrainingCheckpoint train_quantized(Job job) {
    job.recipe.evaluate_every = 0;
    job.recipe.scale_lr = 0.01;
    train(job);
    return pipeline::read_training_checkpoint(job.folder / "last.ckpt");
  }

  void expect_deployed_as_trained(const pipeline::TrainingCheckpoint& checkpoint,
                                  const Job& job) const {
    const Tensor image = some_image(job.val_images.front());
    const auto graph = pipeline::with_input(pipeline::deployed(checkpoint), 1, {64, 64});
    ASSERT_GT(pipeline::count_layers(graph).int8, 20);

    const auto in_training = heads_in_training(checkpoint, image);
    const auto in_onnxruntime = test::run_in_onnxruntime(graph, {image});
    const auto in_torch = runtime::run(*runtime::compile(graph, {.backend = "torch"}), {{image}});

    ASSERT_EQ(in_training.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string level = " of level " + std::to_string(i);
      expect_equal_but_for_codes(in_training[i], in_onnxruntime[i], "ONNX Runtime" + level);
      expect_equal_but_for_codes(in_training[i], in_torch[i], "LibTorch" + level);
    }
  }

  static test::TinyTraining* tiny_;
};

test::TinyTraining* Deployed::tiny_ = nullptr;

TEST_F(Deployed, AFoldedModelGivesTheHeadsOfItsTraining) {
  const Job job = tiny_->quantized_job("folded", trained());
  expect_deployed_as_trained(train_quantized(job), job);
}

TEST_F(Deployed, AModelWithBatchNormalizationGivesTheHeadsOfItsTraining) {
  const Job job = tiny_->quantized_norm_job("norm", trained());
  expect_deployed_as_trained(train_quantized(job), job);
}

TEST_F(Deployed, WithBatchNormalizationAndUntrainedItIsThePostTrainingModel) {
  Job job = tiny_->quantized_norm_job("untrained", trained());
  const auto model =
      pipeline::load_model(trained(), {.size = vision::Size{64, 64}, .dynamic = true});
  const auto tuned = pipeline::quantize_model(model, job.images, {.images = 8, .threads = 1});
  job.plan = pipeline::unfolded_plan(job.model, tuned.plan);
  job.recipe.epochs = 1;
  job.recipe.learn_scales = false;
  job.hyp.lr0 = job.hyp.warmup_bias_lr = 1e-12;
  const auto checkpoint = train_quantized(job);

  const Tensor image = some_image(job.val_images.front());
  const auto heads_of = [&](const graph::Graph& graph) {
    return runtime::run(
        *runtime::compile(pipeline::with_input(graph, 1, {64, 64}), {.backend = "torch"}),
        {{image}});
  };
  const auto expected = heads_of(tuned.graph);
  const auto got = heads_of(pipeline::deployed(checkpoint));
  ASSERT_EQ(got.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    expect_equal_but_for_codes(expected[i], got[i], "level " + std::to_string(i));
  }
}

/// QuantizeLinear nodes that round what a Concat, a pool or an upsampling gives.
int behind_movements(const graph::Graph& graph) {
  int count = 0;
  for (const graph::NodeId id : graph.nodes()) {
    if (graph[id].op != "QuantizeLinear") continue;
    const auto producer = graph.producer(graph[id].inputs[0]);
    if (!producer) continue;
    const std::string& op = graph[*producer].op;
    count += op == "Concat" || op == "MaxPool" || op == "Resize";
  }
  return count;
}

TEST_F(Deployed, LearnedScalesOfOneTensorStayOneSoThatOpenVinosPlacesAreKept) {
  const Job job = tiny_->quantized_job("openvino", trained(), "openvino");
  const auto checkpoint = train_quantized(job);

  EXPECT_NE(checkpoint.plan->activations, job.plan->activations);  // They were learned.
  EXPECT_EQ(behind_movements(pipeline::deployed(checkpoint)), 0);
  expect_deployed_as_trained(checkpoint, job);
}

TEST_F(Deployed, RangesThatMovedAreThoseOfTheFileWithTheirZeroPoints) {
  Job job = tiny_->quantized_job("moved", trained(), "openvino");
  job.recipe.learn_scales = false;
  job.recipe.range_momentum = 0.3;
  const auto checkpoint = train_quantized(job);

  EXPECT_NE(checkpoint.plan->activations, job.plan->activations);
  EXPECT_EQ(behind_movements(pipeline::deployed(checkpoint)), 0);
  expect_deployed_as_trained(checkpoint, job);
}

TEST_F(Deployed, FoldingMultipliesScalesAsItDoesWeights) {
  const Job folded = tiny_->quantized_job("a", trained());
  const Job norm = tiny_->quantized_norm_job("b", trained());

  const auto plan = pipeline::deployed_plan({.model = norm.model, .plan = norm.plan});

  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->weights.size(), folded.plan->weights.size());
  for (std::size_t i = 0; i < plan->weights.size(); ++i) {
    const auto& expected = folded.plan->weights[i].scales;
    for (std::size_t channel = 0; channel < expected.size(); ++channel) {
      EXPECT_NEAR(plan->weights[i].scales.at(channel) / expected[channel], 1, 1e-5);
    }
  }
}

TEST_F(Deployed, AFloatModelIsDeployedWithoutBatchNormalization) {
  const auto checkpoint = pipeline::read_training_checkpoint(trained());

  const graph::Graph graph = pipeline::deployed(checkpoint);

  EXPECT_FALSE(pipeline::is_quantized(graph));
  for (const graph::NodeId id : graph.nodes()) EXPECT_NE(graph[id].op, "BatchNormalization");
}

}  // namespace
}  // namespace yoloq::train
