// SPDX-License-Identifier: Apache-2.0
#include "train/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/training_checkpoint.h"
#include "train/training_fixture.h"

namespace yoloq::train {
namespace {

namespace fs = std::filesystem;
double sum(const Losses& losses) { return losses[0] + losses[1] + losses[2]; }

/// The loss of objectness rises while boxes get better, as their IoU is its target.
TEST_F(Training, LowersTheLossOfBoxesAndClasses) {
  Job job = tiny_->job("falling");
  job.recipe.epochs = 24;
  job.recipe.evaluate_every = 0;
  job.recipe.augment = false;
  job.recipe.method = Method::adamw;
  job.hyp.lr0 = 0.002;
  job.hyp.momentum = 0.9;
  job.hyp.warmup_epochs = 1;
  job.hyp.warmup_bias_lr = 0.002;
  job.hyp.cls = 5;
  job.hyp.obj = 8;

  const Result result = train(job);

  ASSERT_EQ(result.epochs.size(), 24U);
  EXPECT_LT(result.epochs.back().losses[0], 0.9 * result.epochs.front().losses[0]);
  EXPECT_LT(result.epochs.back().losses[2], 0.8 * result.epochs.front().losses[2]);
}

TEST_F(Training, LowersTheDistanceToTheFloatModelWhenQuantized) {
  Job job = tiny_->quantized_job("nearer", trained());
  for (auto& activation : job.plan->activations) activation.quantizer.scale *= 6;
  job.recipe.epochs = 24;
  job.recipe.evaluate_every = 0;
  job.recipe.augment = false;
  job.recipe.learn_scales = true;
  job.recipe.scale_lr = 0.05;
  job.hyp.lr0 = 1e-3;

  const Result result = train(job);

  EXPECT_LT(sum(result.epochs.back().losses), 0.8 * sum(result.epochs.front().losses));
}

TEST_F(Training, MatchesTheFloatModelsFeatures) {
  const auto weights_with = [&](const std::string& name, double gain) {
    Job job = tiny_->quantized_job(name, trained());
    job.recipe.feature_gain = gain;
    const Result result = train(job);
    const auto left = pipeline::read_training_checkpoint(result.last);
    EXPECT_EQ(left.model.outputs.size(), job.model.outputs.size()) << "maps are no outputs";
    return read_file(result.last);
  };

  EXPECT_NE(weights_with("features", 1), weights_with("no_features", 0));
}

TEST_F(Training, LearnsScalesAndKeepsThemPositive) {
  Job job = tiny_->quantized_job("scales", trained());
  train(job);

  const auto checkpoint = pipeline::read_training_checkpoint(job.folder / "last.ckpt");

  ASSERT_TRUE(checkpoint.plan.has_value());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < checkpoint.plan->activations.size(); ++i) {
    const float now = checkpoint.plan->activations[i].quantizer.scale;
    EXPECT_GT(now, 0);
    moved += now != job.plan->activations[i].quantizer.scale;
  }
  EXPECT_GT(moved, checkpoint.plan->activations.size() / 2);
}

TEST_F(Training, KeepsScalesThatItIsNotToLearn) {
  Job job = tiny_->quantized_job("frozen", trained());
  job.recipe.learn_scales = false;
  train(job);

  const auto checkpoint = pipeline::read_training_checkpoint(job.folder / "last.ckpt");

  EXPECT_EQ(checkpoint.plan->activations, job.plan->activations);
  for (std::size_t i = 0; i < job.plan->weights.size(); ++i) {
    EXPECT_EQ(checkpoint.plan->weights[i].scales, job.plan->weights[i].scales);
  }
}

TEST_F(Training, MeasuresWhenItIsTold) {
  Job job = tiny_->job("measured");
  job.recipe.epochs = 3;
  job.recipe.evaluate_every = 2;

  const Result result = train(job);

  EXPECT_FALSE(result.epochs[0].ap.has_value());
  EXPECT_TRUE(result.epochs[1].ap.has_value());
  EXPECT_TRUE(result.epochs[2].ap.has_value());
  EXPECT_TRUE(fs::exists(result.best));
  EXPECT_GE(result.best_epoch, 1);
}

TEST_F(Training, TakesTheLatestForTheBestWithoutImagesToMeasureOn) {
  Job job = tiny_->job("unmeasured");
  job.val_images.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_FALSE(result.epochs.back().ap.has_value());
  const auto best = pipeline::read_training_checkpoint(result.best);
  const auto last = pipeline::read_training_checkpoint(result.last);
  EXPECT_EQ(best.model.constants, last.model.constants);
  EXPECT_TRUE(best.state.empty());
}

TEST_F(Training, KeepsTheBestThatWasMeasuredWhereItGoesOnUnmeasured) {
  Job job = tiny_->job("unmeasured-later");
  job.recipe.epochs = 3;
  EXPECT_THROW(train(job, cut_at(3)), Error);  // After the first epoch.
  const std::string best = read_file(job.folder / "best.ckpt");
  job.resume = true;
  job.val_images.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_GE(result.best_ap, 0);
  EXPECT_TRUE(read_file(result.best) == best);
}

TEST_F(Training, HasABestEvenWhereNothingIsToBeFound) {
  Job job = tiny_->job("empty-val");
  job.truth.annotations.boxes.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_TRUE(fs::exists(result.best));
}

}  // namespace
}  // namespace yoloq::train
