// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.h"

#include <gtest/gtest.h>

namespace yoloq::train {
namespace {

dataset::Hyperparameters plain_hyp() {
  dataset::Hyperparameters hyp;
  hyp.lr0 = 0.02;
  hyp.lrf = 0.1;
  hyp.momentum = 0.9;
  hyp.warmup_epochs = 2;
  hyp.warmup_momentum = 0.5;
  hyp.warmup_bias_lr = 0.1;
  return hyp;
}

TEST(Schedule, FallsAlongHalfACosine) {
  const Schedule schedule(plain_hyp(), {.epochs = 100, .batches = 200, .cosine = true});

  EXPECT_DOUBLE_EQ(schedule.factor(0), 1.0);
  EXPECT_NEAR(schedule.factor(25), 0.1 + 0.9 * 0.8535533905932737, 1e-12);  // (1 + 1 / sqrt 2) / 2
  EXPECT_NEAR(schedule.factor(50), 0.55, 1e-12);
  EXPECT_NEAR(schedule.factor(100), 0.1, 1e-12);
}

TEST(Schedule, FallsAlongALine) {
  const Schedule schedule(plain_hyp(), {.epochs = 10, .batches = 200, .cosine = false});

  EXPECT_DOUBLE_EQ(schedule.factor(0), 1.0);
  EXPECT_NEAR(schedule.factor(3), 0.73, 1e-12);
  EXPECT_NEAR(schedule.factor(10), 0.1, 1e-12);
}

TEST(Schedule, WarmsUpOverItsEpochs) {
  // 2 epochs of 200 batches: 400. Without accumulation the batch is the nominal one's quarter.
  const Schedule schedule(
      plain_hyp(),
      {.epochs = 10, .batches = 200, .batch_size = 16, .nominal_batch = 64, .cosine = false});

  const Rates first = schedule.at(0, 0);
  EXPECT_DOUBLE_EQ(first.weights, 0);
  EXPECT_DOUBLE_EQ(first.biases, 0.1);
  EXPECT_DOUBLE_EQ(first.momentum, 0.5);
  EXPECT_EQ(first.accumulate, 1U);

  const Rates quarter = schedule.at(0, 100);
  EXPECT_NEAR(quarter.weights, 0.02 / 4, 1e-12);
  EXPECT_NEAR(quarter.biases, 0.1 - 0.08 / 4, 1e-12);
  EXPECT_NEAR(quarter.momentum, 0.6, 1e-12);
  EXPECT_EQ(quarter.accumulate, 2U);  // 1 + 3 / 4, rounded

  // In the second epoch it goes towards that epoch's rate: 0.02 * 0.91.
  const Rates later = schedule.at(1, 100);
  EXPECT_NEAR(later.weights, 0.0182 * 0.75, 1e-12);
  EXPECT_NEAR(later.biases, 0.1 + (0.0182 - 0.1) * 0.75, 1e-12);
  EXPECT_NEAR(later.momentum, 0.8, 1e-12);
  EXPECT_EQ(later.accumulate, 3U);  // 3.25
}

TEST(Schedule, IsWarmAfterItsEpochs) {
  const Schedule schedule(plain_hyp(), {.epochs = 10, .batches = 200, .cosine = false});

  const Rates last_cold = schedule.at(1, 199);
  const Rates warm = schedule.at(2, 0);

  EXPECT_LT(last_cold.momentum, 0.9);
  EXPECT_NEAR(warm.weights, 0.02 * 0.82, 1e-12);
  EXPECT_DOUBLE_EQ(warm.biases, warm.weights);
  EXPECT_DOUBLE_EQ(warm.momentum, 0.9);
  EXPECT_EQ(warm.accumulate, 4U);
}

TEST(Schedule, WarmsUpForAHundredBatchesAtLeast) {
  const Schedule schedule(plain_hyp(), {.epochs = 100, .batches = 10});

  EXPECT_LT(schedule.at(9, 9).momentum, 0.9);
  EXPECT_DOUBLE_EQ(schedule.at(10, 0).momentum, 0.9);
}

TEST(Schedule, WarmsUpForHalfOfAShortTraining) {
  const Schedule schedule(plain_hyp(), {.epochs = 4, .batches = 10});

  EXPECT_NEAR(schedule.at(1, 0).momentum, 0.7, 1e-12);
  EXPECT_LT(schedule.at(1, 9).momentum, 0.9);
  EXPECT_DOUBLE_EQ(schedule.at(2, 0).momentum, 0.9);
}

TEST(Schedule, DoesWithoutWarmUp) {
  dataset::Hyperparameters hyp = plain_hyp();
  hyp.warmup_epochs = 0;
  const Schedule schedule(hyp, {.epochs = 100, .batches = 10});

  EXPECT_DOUBLE_EQ(schedule.at(0, 0).weights, 0.02);
  EXPECT_DOUBLE_EQ(schedule.at(0, 0).momentum, 0.9);
}

TEST(Schedule, AccumulatesUpToTheNominalBatch) {
  dataset::Hyperparameters hyp = plain_hyp();
  hyp.warmup_epochs = 0;
  const auto accumulated = [&](int batch_size) {
    return Schedule(hyp, {.batch_size = batch_size, .nominal_batch = 64}).at(0, 0).accumulate;
  };

  EXPECT_EQ(accumulated(1), 64U);
  EXPECT_EQ(accumulated(16), 4U);
  EXPECT_EQ(accumulated(24), 3U);  // 2.67
  EXPECT_EQ(accumulated(64), 1U);
  EXPECT_EQ(accumulated(256), 1U);
}

TEST(Schedule, AccumulatesTowardsTheUnroundedNumber) {
  // As Ultralytics interpolates up to 64 / 24 = 2.67: at 0.87 of the warm-up 2.45, rounded 2.
  const Schedule schedule(plain_hyp(),
                          {.epochs = 10, .batches = 100, .batch_size = 24, .nominal_batch = 64});

  EXPECT_EQ(schedule.at(1, 74).accumulate, 2U);
  EXPECT_EQ(schedule.at(2, 0).accumulate, 3U);
}

}  // namespace
}  // namespace yoloq::train
