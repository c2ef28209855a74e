// SPDX-License-Identifier: Apache-2.0
#include "train/tiny_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

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
  job.replace = true;  // Tests train into a folder more than once.
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
  result.plan = pipeline::unfolded_plan(result.model, *std::move(result.plan));
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
