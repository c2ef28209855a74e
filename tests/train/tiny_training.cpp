// SPDX-License-Identifier: Apache-2.0
#include "train/tiny_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "dataset/shapes.h"
#include "model/emit.h"
#include "model/read_yaml.h"
#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "pipeline/training_checkpoint.h"

namespace yoloq::test {

namespace fs = std::filesystem;

namespace {

constexpr vision::Size kSize{64, 64};
constexpr int kClasses = 3;

graph::Graph untrained() {
  return model::emit(model::read_model_yaml("yolov5p.yaml", {.class_count = kClasses}),
                     {.batch = std::nullopt, .height = std::nullopt, .width = std::nullopt});
}

detect::Head head_of(const graph::Graph& graph) {
  return detect::find_head(pipeline::with_input(graph, 1, kSize));
}

/// gamma / sqrt(var + eps) by the name of the convolution's weight.
std::vector<float> factors_of(const graph::Graph& graph, const std::string& weight) {
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& norm = graph[id];
    if (norm.op != "BatchNormalization") continue;
    const auto conv = graph.producer(norm.inputs[0]);
    if (!conv || graph[*conv].inputs[1] != weight) continue;
    std::vector<float> factors = graph.constants.at(norm.inputs[1]).to_floats();
    const auto variances = graph.constants.at(norm.inputs[4]).to_floats();
    for (std::size_t i = 0; i < factors.size(); ++i) {
      factors[i] /= std::sqrt(variances[i] + norm.real("epsilon", 1e-5f));
    }
    return factors;
  }
  return {};
}

}  // namespace

TinyTraining::TinyTraining(int train_images, int val_images) {
  dataset::write_shapes(folder_ / "shapes", {.train_images = train_images,
                                             .val_images = val_images,
                                             .side = kSize.width,
                                             .class_count = kClasses,
                                             .seed = 1,
                                             .threads = 1});
}

train::Job TinyTraining::job(const std::string& name) const { return job(name, untrained()); }

train::Job TinyTraining::job(const std::string& name, const graph::Graph& graph) const {
  const dataset::Dataset dataset = dataset::read_data_yaml(data_yaml());
  train::Job job{.model = graph, .head = head_of(graph)};
  job.images = dataset::list_images(dataset, "train");
  job.val_images = dataset::list_images(dataset, "val");
  job.truth = pipeline::find_ground_truth(dataset, job.val_images, {});
  job.hyp.mosaic = 0;
  job.recipe.epochs = 2;
  job.recipe.batch_size = 8;
  job.recipe.nominal_batch = 8;
  job.recipe.size = kSize;
  job.recipe.seed = 3;
  job.recipe.threads = 1;
  job.recipe.average_steps = 2;
  job.folder = path() / name;
  return job;
}

train::Job TinyTraining::quantized_job(const std::string& name, const fs::path& checkpoint,
                                       const std::string& target) const {
  const auto model = pipeline::load_model(checkpoint, {.size = kSize, .dynamic = true});
  train::Job result = job(name, model.graph);
  result.plan = pipeline::quantize_model(model, result.images,
                                         {.quantize = {.target = target},
                                          .images = 8,
                                          .threads = 1,
                                          .tune_weights = false,
                                          .bias_correction = false})
                    .plan;
  result.hyp = dataset::read_hyperparameters("hyp.qat.yaml");
  result.hyp.mosaic = 0;
  result.recipe.teacher = train::Teacher::float_model;
  result.recipe.batch_statistics = false;
  result.recipe.learn_scales = true;
  return result;
}

train::Job TinyTraining::quantized_norm_job(const std::string& name,
                                            const fs::path& checkpoint) const {
  train::Job result = quantized_job(name, checkpoint);
  result.model = pipeline::read_training_checkpoint(checkpoint).model;
  for (quantize::WeightPlan& weight : result.plan->weights) {
    const auto factors = factors_of(result.model, weight.tensor);
    for (std::size_t i = 0; i < factors.size(); ++i) weight.scales.at(i) /= std::abs(factors[i]);
  }
  return result;
}

std::string refusal(ErrorCode code, const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace yoloq::test
